GRANT USAGE ON SCHEMA dashboard TO grafana_reader
