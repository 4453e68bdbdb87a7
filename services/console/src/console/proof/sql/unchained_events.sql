-- Events that no batch names. $1: ids that were told of already.
SELECT event.event_id, event.ledger_index, event.event_type
FROM public.order_event AS event
LEFT JOIN (
    SELECT leaf.event_id, leaf.occurred_at
    FROM public.batch_digest AS link, unnest(link.event_ids, link.occurred_at) AS leaf (event_id, occurred_at)
    WHERE link.act IS NULL
    GROUP BY 1, 2
) AS named USING (event_id, occurred_at)
WHERE named.event_id IS NULL AND event.event_id <> ALL ($1::uuid[])
ORDER BY event.occurred_at, event.event_id
