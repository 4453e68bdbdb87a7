CREATE OR REPLACE VIEW dashboard.database_size AS
SELECT
    pg_database_size(current_database()) AS bytes,
    (SELECT bytes FROM public.database_limit) AS limit_bytes
