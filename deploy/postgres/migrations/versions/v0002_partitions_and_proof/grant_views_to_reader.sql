GRANT SELECT ON dashboard.open_anomaly, dashboard.order_state, dashboard.chain_head TO grafana_reader
