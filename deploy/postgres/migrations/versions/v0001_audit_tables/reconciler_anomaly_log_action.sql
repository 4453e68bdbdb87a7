CREATE INDEX IF NOT EXISTS reconciler_anomaly_log_action_taken ON reconciler_anomaly_log (action_taken)
