CREATE INDEX IF NOT EXISTS reconciler_anomaly_log_session_id ON reconciler_anomaly_log (session_id)
