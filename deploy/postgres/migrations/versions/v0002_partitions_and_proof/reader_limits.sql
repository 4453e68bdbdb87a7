-- A role may change its own settings for its session, so the timeouts are defaults; what it can't change is how
-- many connections it has. Limits that somebody has set already stay.
DO $$
BEGIN
    IF (SELECT rolconnlimit FROM pg_roles WHERE rolname = 'grafana_reader') = -1 THEN
        ALTER ROLE grafana_reader CONNECTION LIMIT 20;
        ALTER ROLE grafana_reader SET idle_in_transaction_session_timeout = '60s';
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR internal_error THEN  -- made by somebody else, or being altered right now
        RAISE WARNING 'the limits of grafana_reader are not set: ALTER ROLE grafana_reader CONNECTION LIMIT 20';
END
$$
