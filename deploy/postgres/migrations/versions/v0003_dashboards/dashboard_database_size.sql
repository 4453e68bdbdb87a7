CREATE VIEW dashboard.database_size AS
SELECT pg_database_size(current_database()) AS bytes
