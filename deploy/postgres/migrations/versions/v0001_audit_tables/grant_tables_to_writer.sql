-- Append only: no SELECT, UPDATE or DELETE, hence ON CONFLICT DO NOTHING without a target and no RETURNING.
GRANT INSERT ON order_event, fill, reconciler_anomaly_log TO audit_writer
