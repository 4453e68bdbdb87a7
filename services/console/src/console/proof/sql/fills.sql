-- Fills that are not what their events say. $1: ids of events that are broken themselves.
-- A fill whose event is gone is told of with the event, or its month was dropped.
WITH told AS (
    SELECT
        event.event_id,
        event.ledger_index,
        ROW (
            event.event_id, event.network_id, event.account, event.sequence, fact.trade_id, event.ledger_index,
            event.transaction_hash, event.transaction_index, event.occurred_at, fact.market, fact.side,
            fact.last_qty, fact.last_px, fact.gave ->> 'asset', (fact.gave ->> 'value')::numeric,
            fact.got ->> 'asset', (fact.got ->> 'value')::numeric, fact.liquidity_side, fact.provenance
        )::public.fill AS row
    FROM public.order_event AS event
    CROSS JOIN LATERAL json_to_record(event.payload) AS fact (
        trade_id text, market text, side text, last_qty numeric, last_px numeric, gave json, got json,
        liquidity_side text, provenance text
    )
    WHERE event.event_type = 'order.filled' AND event.event_id <> ALL ($1::uuid[])
),

named AS (SELECT DISTINCT unnest(event_ids) AS event_id FROM public.batch_digest)

SELECT
    event_id::text AS event_id,
    coalesce(told.ledger_index, fill.ledger_index) AS ledger_index,
    CASE WHEN fill.event_id IS NULL THEN 'missing' WHEN told.event_id IS NULL THEN 'inserted' ELSE 'changed' END
        AS what
FROM told
FULL JOIN public.fill AS fill USING (event_id)
LEFT JOIN named USING (event_id)
WHERE
    (told.event_id IS NOT NULL AND told.row IS DISTINCT FROM fill)
    OR (told.event_id IS NULL AND named.event_id IS NULL AND fill.event_id <> ALL ($1::uuid[]))
