-- Where an engine's own book and the ledger differ. The id derives from the facts, so that comparing again adds
-- nothing twice; a difference that was mended in the book stays on record with the time when it was found.
CREATE TABLE public.book_finding (
    finding_id text PRIMARY KEY,
    found_at timestamptz NOT NULL DEFAULT now(),
    book_digest text NOT NULL,
    kind text NOT NULL,
    account text NOT NULL,
    sequence bigint,
    transaction_hash text,
    market text NOT NULL,
    occurred_at timestamptz,
    cause text,
    worth numeric NOT NULL,
    told jsonb NOT NULL
)
