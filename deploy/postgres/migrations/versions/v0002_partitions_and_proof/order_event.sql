-- Every event as it was published; append-only, a month a partition. No column comes from a clock: a replay
-- writes the same rows.
--
-- The payload is the text that was published (json, not jsonb): it is what the chain's digests are over.
-- jsonb would refuse what no text of PostgreSQL can hold, and so do we: a view must never fail on a row.
CREATE TABLE public.order_event (
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    version integer NOT NULL,
    network_id bigint NOT NULL,
    account text NOT NULL,
    sequence bigint NOT NULL,
    client_order_id text,
    session_id text,
    ledger_index bigint,
    transaction_hash text,
    transaction_index integer,
    status text NOT NULL,
    occurred_at timestamptz NOT NULL,
    payload json NOT NULL,
    PRIMARY KEY (event_id, occurred_at),
    CONSTRAINT payload_is_text CHECK (strpos(payload::text, '\u0000') = 0 OR payload::jsonb IS NOT NULL)
) PARTITION BY RANGE (occurred_at)
