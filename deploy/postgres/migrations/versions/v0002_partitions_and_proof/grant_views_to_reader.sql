GRANT SELECT ON dashboard.order_state, dashboard.chain_head TO grafana_reader
