GRANT SELECT ON
    dashboard.event, dashboard.order_end, dashboard.disappearance, dashboard.answered_anomaly,
    dashboard.open_anomaly, dashboard.anomaly, dashboard.session_fill, dashboard.balance_drift, dashboard.halt,
    dashboard.history_gap, dashboard.database_size
TO grafana_reader
