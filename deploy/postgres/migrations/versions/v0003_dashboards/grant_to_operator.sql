-- The time of an acknowledgement is the server's, so no right to write it.
DO $$
BEGIN
    GRANT USAGE ON SCHEMA dashboard, public TO fillproof_operator;
    GRANT SELECT ON dashboard.anomaly TO fillproof_operator;
    GRANT INSERT (event_id, acknowledged_by, note) ON public.anomaly_acknowledgement TO fillproof_operator;
END
$$
