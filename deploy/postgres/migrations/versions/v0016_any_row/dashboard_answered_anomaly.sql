-- Anomalies that a later event has answered: a correction that withdraws it, or of a LOST order one that tells how
-- it ended after all. If that end is an anomaly, it has a row of its own. A correction that only amends the
-- anomaly's amounts or its cause answers nothing.
CREATE OR REPLACE VIEW dashboard.answered_anomaly AS
SELECT DISTINCT anomaly.event_id::text AS event_id
FROM public.reconciler_anomaly_log AS anomaly
JOIN public.order_event AS told
    ON
        told.account = anomaly.account
        AND told.sequence = anomaly.sequence
        AND told.event_id::text = anomaly.event_id::text
JOIN public.order_event AS later
    ON
        later.network_id = told.network_id
        AND later.account = anomaly.account
        AND later.sequence = anomaly.sequence
WHERE
    (
        public.readable(later.payload) ->> 'corrects' = anomaly.event_id::text
        -- version 1 said it with `stands`: false for withdrawn
        AND public.readable(later.payload) ->> 'correction' IS DISTINCT FROM 'amended'
        AND public.readable(later.payload) ->> 'stands' IS DISTINCT FROM 'true'
    )
    OR (
        told.status = 'LOST'
        AND later.status IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'REMOVED')
    )
