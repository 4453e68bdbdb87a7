-- Roles belong to the whole cluster, so they may exist already: made by an operator, or for another database.
-- Neither has a password yet; who runs the database sets them (ALTER ROLE ... PASSWORD).
DO $$
BEGIN
    IF to_regrole('audit_writer') IS NULL THEN
        CREATE ROLE audit_writer LOGIN;
    END IF;
    IF to_regrole('grafana_reader') IS NULL THEN
        CREATE ROLE grafana_reader LOGIN;
        ALTER ROLE grafana_reader SET default_transaction_read_only = on;
        ALTER ROLE grafana_reader SET statement_timeout = '15s';
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        RAISE NOTICE 'another migration is making the roles';
END
$$
