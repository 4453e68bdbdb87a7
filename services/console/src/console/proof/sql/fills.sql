-- Fills that are not what their events say. $1: ids of events that are broken themselves; $2: positions of acts
-- that nobody has signed.
-- A fill whose event retention dropped must be what the act in the chain says that stayed.
WITH told AS (
    SELECT
        event.event_id,
        event.ledger_index,
        ROW (
            event.event_id, event.network_id, event.account, event.sequence, fact.trade_id, event.ledger_index,
            event.transaction_hash, event.transaction_index, event.occurred_at, fact.market, fact.side,
            public.number(fact.last_qty), public.number(fact.last_px), fact.gave ->> 'asset', public.number(fact.gave ->> 'value'),
            fact.got ->> 'asset', public.number(fact.got ->> 'value'), fact.liquidity_side, fact.provenance
        )::public.fill AS row
    FROM public.order_event AS event
    CROSS JOIN LATERAL json_to_record(public.readable(event.payload)) AS fact (
        trade_id text, market text, side text, last_qty text, last_px text, gave json, got json,
        liquidity_side text, provenance text
    )
    WHERE event.event_type = 'order.filled' AND event.event_id <> ALL ($1::uuid[])
),

stays AS (
    SELECT DISTINCT ON (event_id) event_id, row_digest
    FROM public.batch_digest AS link, unnest(link.event_ids, link.payload_digests) AS leaf (event_id, row_digest)
    WHERE link.act IS NOT NULL AND link.position <> ALL ($2::bigint[])
    ORDER BY event_id, link.position DESC
)

SELECT
    event_id::text AS event_id,
    coalesce(told.ledger_index, fill.ledger_index) AS ledger_index,
    CASE
        WHEN fill.event_id IS NULL THEN 'missing'
        WHEN told.event_id IS NULL AND stays.event_id IS NULL THEN 'inserted'
        ELSE 'changed'
    END AS what
FROM told
FULL JOIN public.fill AS fill USING (event_id)
LEFT JOIN stays USING (event_id)
WHERE
    (told.event_id IS NOT NULL AND told.row IS DISTINCT FROM fill)
    OR (
        told.event_id IS NULL
        AND fill.event_id <> ALL ($1::uuid[])
        AND stays.row_digest IS DISTINCT FROM sha256(convert_to(ROW (
            fill.event_id, fill.network_id, fill.account, fill.sequence, fill.trade_id, fill.ledger_index,
            fill.transaction_hash, fill.transaction_index, fill.occurred_at, fill.market, fill.side, fill.last_qty,
            fill.last_px, fill.gave_asset, fill.gave, fill.got_asset, fill.got, fill.liquidity_side,
            fill.provenance
        )::text, 'UTF8'))
    )
