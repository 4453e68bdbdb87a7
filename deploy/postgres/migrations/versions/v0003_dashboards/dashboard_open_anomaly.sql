-- What the chip counts: nobody has acknowledged it, and nothing has answered it.
CREATE OR REPLACE VIEW dashboard.open_anomaly AS
SELECT
    event_id, detected_at, session_id, account, sequence, market, side, price, remaining, removal_reason,
    action_taken, mid_price, distance_bps
FROM public.reconciler_anomaly_log AS anomaly
WHERE
    NOT EXISTS (
        SELECT FROM public.anomaly_acknowledgement AS acknowledged
        WHERE acknowledged.event_id = anomaly.event_id::text
    )
    AND NOT EXISTS (
        SELECT FROM dashboard.answered_anomaly AS answered
        WHERE answered.event_id = anomaly.event_id::text
    )
