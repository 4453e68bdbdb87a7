-- $1, $2, $3: ids, times and payload digests of one batch. The rows as they are now, null where there is none
-- at that time, and whether each column says what the payload says. That is asked only of a payload that is
-- the one that was stored: any other may hold anything.
SELECT
    event.payload::text AS payload,
    event.ledger_index,
    CASE
        WHEN sha256(convert_to(event.payload::text, 'UTF8')) = leaf.payload_digest
            THEN public.agrees(event)
    END AS agrees
FROM unnest($1::uuid[], $2::timestamptz[], $3::bytea[])
    WITH ORDINALITY AS leaf (event_id, occurred_at, payload_digest, place)
LEFT JOIN public.order_event AS event USING (event_id, occurred_at)
ORDER BY leaf.place
