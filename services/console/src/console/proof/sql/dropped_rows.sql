-- Fills and anomalies that stayed when their events were dropped, as the acts in the chain say, and are gone now.
-- $1: ids of events that are broken themselves; $2: positions of acts that nobody has signed.
SELECT DISTINCT leaf.event_id::text AS event_id
FROM public.batch_digest AS link, unnest(link.event_ids) AS leaf (event_id)
WHERE
    link.act IS NOT NULL
    AND link.position <> ALL ($2::bigint[])
    AND leaf.event_id <> ALL ($1::uuid[])
    AND NOT EXISTS (SELECT FROM public.order_event AS event WHERE event.event_id = leaf.event_id)
    AND NOT EXISTS (SELECT FROM public.fill AS fill WHERE fill.event_id = leaf.event_id)
    AND NOT EXISTS (
        SELECT FROM public.reconciler_anomaly_log AS anomaly WHERE anomaly.event_id::text = leaf.event_id::text
    )
