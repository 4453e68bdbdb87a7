-- The chain's end. Its one row is what replicas wait for: an advisory lock could be held by anybody.
CREATE TABLE public.chain_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL,
    digest bytea NOT NULL
) WITH (fillfactor = 10)
