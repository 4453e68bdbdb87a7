-- The sequences of the messages that one batch has stored or set apart, written in the batch's own transaction, and
-- the ledgers that they are of. identity: when the stream was created; another stream of that name has another.
CREATE TABLE public.stream_range (
    stream text NOT NULL,
    identity timestamptz NOT NULL,
    sequences int8multirange NOT NULL,
    first_ledger bigint,
    last_ledger bigint
)
