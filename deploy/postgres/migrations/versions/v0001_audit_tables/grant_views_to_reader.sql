GRANT SELECT ON dashboard.open_anomaly, dashboard.order_fill, dashboard.order_state TO grafana_reader
