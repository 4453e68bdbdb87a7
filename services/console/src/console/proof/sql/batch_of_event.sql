-- $1: an event's id. The row as it is, and the batch that it came with (the last one, if it was given again).
SELECT
    event.payload::text AS payload, link.position, link.previous, link.digest, link.event_ids, link.occurred_at,
    link.payload_digests
FROM public.order_event AS event
JOIN public.batch_digest AS link ON link.act IS NULL AND link.event_ids @> ARRAY[event.event_id]
WHERE event.event_id = $1
ORDER BY link.position DESC
LIMIT 1
