GRANT SELECT ON dashboard.missing_sequence TO grafana_reader
