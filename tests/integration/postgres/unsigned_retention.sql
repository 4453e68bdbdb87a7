-- A retention over all time, which nobody has signed.
INSERT INTO batch_digest (
    position, previous, digest, event_ids, occurred_at, payload_digests, dropped_from, dropped_before
)
SELECT
    head.position + 1, head.digest,
    sha256(head.digest || int8send(head.position + 1) || timestamptz_send('2000-01-01+00')
        || timestamptz_send('2100-01-01+00')),
    '{}', '{}', '{}', '2000-01-01+00', '2100-01-01+00'
FROM chain_head AS head;
UPDATE chain_head SET (position, digest) =
    (SELECT position, digest FROM batch_digest ORDER BY position DESC LIMIT 1);
