GRANT USAGE ON SCHEMA public TO audit_writer
