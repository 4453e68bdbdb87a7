-- The name of the primary key's own index: made only where a table made by hand has no primary key.
CREATE UNIQUE INDEX IF NOT EXISTS reconciler_anomaly_log_pkey ON reconciler_anomaly_log (event_id)
