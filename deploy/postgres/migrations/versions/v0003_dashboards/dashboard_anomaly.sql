-- Every anomaly with all that somebody needs to act on it, and what somebody said of it.
CREATE VIEW dashboard.anomaly AS
SELECT
    anomaly.event_id::text AS event_id,
    anomaly.detected_at,
    anomaly.session_id,
    anomaly.account,
    anomaly.sequence,
    gone.client_order_id,
    anomaly.market,
    anomaly.side,
    anomaly.price,
    anomaly.remaining,
    anomaly.removal_reason AS cause,
    gone.ledger_index,
    gone.removed_by,
    gone.sent_by,
    gone.evidence,
    gone.resolution,
    anomaly.mid_price,
    anomaly.distance_bps,
    gone.age_seconds,
    anomaly.action_taken,
    acknowledged.acknowledged_at,
    acknowledged.acknowledged_by,
    acknowledged.note,
    CASE
        WHEN acknowledged.event_id IS NOT NULL THEN 'acknowledged'
        WHEN answered.event_id IS NOT NULL THEN 'answered'
        ELSE 'open'
    END AS state
FROM public.reconciler_anomaly_log AS anomaly
LEFT JOIN dashboard.disappearance AS gone
    ON
        gone.account = anomaly.account
        AND gone.sequence = anomaly.sequence
        AND gone.event_id::text = anomaly.event_id::text
LEFT JOIN public.anomaly_acknowledgement AS acknowledged ON acknowledged.event_id = anomaly.event_id::text
LEFT JOIN dashboard.answered_anomaly AS answered ON answered.event_id = anomaly.event_id::text
