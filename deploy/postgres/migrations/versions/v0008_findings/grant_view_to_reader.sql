GRANT SELECT ON dashboard.book_finding TO grafana_reader, fillproof_operator
