-- The chain: one row a batch of new events, written in the batch's own transaction.
--
-- payload_digests: SHA-256 of each payload's text in UTF-8, in the order of event_ids (ascending).
-- digest: SHA-256 over the previous batch's digest (32 zero bytes before the first), the position (8 bytes,
-- big-endian), and then
--   of a batch: for each event its id (16 bytes), its occurred_at (microseconds since 2000-01-01 UTC, 8 bytes,
--   big-endian) and its payload's digest (32 bytes);
--   of a retention step, which has no events: the two ends of the time that was dropped, as occurred_at above.
CREATE TABLE public.batch_digest (
    position bigint PRIMARY KEY,
    previous bytea NOT NULL,
    digest bytea NOT NULL,
    first_ledger bigint,
    last_ledger bigint,
    event_ids uuid[] NOT NULL,
    occurred_at timestamptz[] NOT NULL,
    payload_digests bytea[] NOT NULL,
    dropped_from timestamptz,
    dropped_before timestamptz
)
