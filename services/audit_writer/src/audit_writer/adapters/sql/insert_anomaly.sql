-- $1: a JSON array of order.disappeared events that are anomalies.
INSERT INTO reconciler_anomaly_log (
    event_id, detected_at, session_id, account, sequence, market, side, price, remaining, removal_reason,
    action_taken, mid_price, distance_bps
)
SELECT
    event_id, occurred_at, session_id, account, sequence, market, side, price, remaining,
    coalesce(removal_reason, 'UNKNOWN'), coalesce(action_taken, 'none'),
    (market_context ->> 'mid_price')::numeric, (market_context ->> 'distance_bps')::numeric
FROM json_to_recordset($1::json) AS event (
    event_id uuid,
    occurred_at timestamptz,
    session_id text,
    account text,
    sequence bigint,
    market text,
    side text,
    price numeric,
    remaining numeric,
    removal_reason text,
    action_taken text,
    market_context json
)
ON CONFLICT DO NOTHING
