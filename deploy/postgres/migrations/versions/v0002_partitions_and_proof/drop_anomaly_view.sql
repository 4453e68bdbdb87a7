-- No column's type changes under a view; it is made again below.
DROP VIEW dashboard.open_anomaly
