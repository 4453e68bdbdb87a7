-- $1: a JSON array of order.disappeared events that are anomalies, and of reconciler.balance_drift events.
-- A drift belongs to no order: sequence 0, no side, nothing remaining; the market is the asset.
INSERT INTO reconciler_anomaly_log (
    event_id, detected_at, session_id, account, sequence, market, side, price, remaining, removal_reason,
    action_taken, mid_price, distance_bps
)
SELECT
    event_id, occurred_at, session_id, account, coalesce(sequence, 0),
    coalesce(market, concat_ws('.', currency, issuer)), coalesce(side, ''), price, coalesce(remaining, 0),
    CASE event_type WHEN 'reconciler.balance_drift' THEN 'BALANCE_DRIFT' ELSE coalesce(removal_reason, 'UNKNOWN') END,
    coalesce(action_taken, 'none'),
    (market_context ->> 'mid_price')::numeric, (market_context ->> 'distance_bps')::numeric
FROM json_to_recordset($1::json) AS event (
    event_id uuid,
    event_type text,
    occurred_at timestamptz,
    session_id text,
    account text,
    sequence bigint,
    currency text,
    issuer text,
    market text,
    side text,
    price numeric,
    remaining numeric,
    removal_reason text,
    action_taken text,
    market_context json
)
ON CONFLICT DO NOTHING
