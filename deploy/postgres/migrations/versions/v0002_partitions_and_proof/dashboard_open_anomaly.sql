CREATE VIEW dashboard.open_anomaly AS
SELECT
    event_id, detected_at, session_id, account, sequence, market, side, price, remaining, removal_reason,
    action_taken, mid_price, distance_bps
FROM public.reconciler_anomaly_log
