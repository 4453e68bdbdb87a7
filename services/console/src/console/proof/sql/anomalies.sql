-- Anomalies that are not what their events say. $1: ids of events that are broken themselves; $2: positions of acts
-- that nobody has signed. An anomaly whose event retention dropped must be what the act in the chain says that stayed.
-- A table made by hand keeps its column types: what the event says is brought into those.
WITH told AS (
    SELECT
        event.event_id::text AS event_id,
        event.ledger_index,
        jsonb_populate_record(NULL::public.reconciler_anomaly_log, jsonb_build_object(
            'event_id', event.event_id, 'detected_at', event.occurred_at, 'session_id', event.session_id,
            'account', event.account, 'sequence', event.sequence,
            'market', coalesce(fact.market, concat_ws('.', fact.currency, fact.issuer)),
            'side', coalesce(fact.side, ''), 'price', public.number(fact.price), 'remaining', coalesce(public.number(fact.remaining), 0),
            'removal_reason', CASE event.event_type
                WHEN 'reconciler.balance_drift' THEN 'BALANCE_DRIFT' ELSE coalesce(fact.removal_reason, 'UNKNOWN')
            END,
            'action_taken', coalesce(fact.action_taken, 'none'),
            'mid_price', public.number(fact.market_context ->> 'mid_price'),
            'distance_bps', public.number(fact.market_context ->> 'distance_bps')
        )) AS row
    FROM public.order_event AS event
    CROSS JOIN LATERAL json_to_record(public.readable(event.payload)) AS fact (
        anomaly text, currency text, issuer text, market text, side text, price text, remaining text, removal_reason text,
        action_taken text, market_context json
    )
    WHERE
        (event.event_type = 'order.disappeared' AND public.truth(fact.anomaly) OR event.event_type = 'reconciler.balance_drift')
        AND event.event_id <> ALL ($1::uuid[])
),

found AS (
    SELECT anomaly.event_id::text AS event_id, anomaly AS row, ROW (
        anomaly.event_id, anomaly.detected_at, anomaly.session_id, anomaly.account, anomaly.sequence, anomaly.market,
        anomaly.side, anomaly.price, anomaly.remaining, anomaly.removal_reason, anomaly.action_taken,
        anomaly.mid_price, anomaly.distance_bps
    )::text AS said
    FROM public.reconciler_anomaly_log AS anomaly
    WHERE anomaly.event_id IS NOT NULL AND anomaly.event_id::text NOT IN (SELECT unproven.event_id FROM public.unproven_anomaly AS unproven)
),

stays AS (
    SELECT DISTINCT ON (event_id) leaf.event_id::text AS event_id, row_digest
    FROM public.batch_digest AS link, unnest(link.event_ids, link.payload_digests) AS leaf (event_id, row_digest)
    WHERE link.act IS NOT NULL AND link.position <> ALL ($2::bigint[])
    ORDER BY event_id, link.position DESC
)

SELECT
    event_id,
    told.ledger_index,
    CASE
        WHEN found.event_id IS NULL THEN 'missing'
        WHEN told.event_id IS NULL AND stays.event_id IS NULL THEN 'inserted'
        ELSE 'changed'
    END AS what
FROM told
FULL JOIN found USING (event_id)
LEFT JOIN stays USING (event_id)
WHERE
    (told.event_id IS NOT NULL AND told.row IS DISTINCT FROM found.row)
    OR (
        told.event_id IS NULL
        AND event_id <> ALL ($1::uuid[]::text[])
        AND stays.row_digest IS DISTINCT FROM sha256(convert_to(found.said, 'UTF8'))
    )
