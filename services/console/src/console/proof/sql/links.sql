-- The chain, oldest first.
SELECT
    position, previous, digest, first_ledger, last_ledger, event_ids, occurred_at, payload_digests,
    dropped_from, dropped_before, act
FROM public.batch_digest
ORDER BY position
