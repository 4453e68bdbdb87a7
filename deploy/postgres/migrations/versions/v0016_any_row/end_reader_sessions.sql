-- Ends sessions of the reader that hold others up, whatever they have set for themselves, and returns how many: in one
-- transaction for longer than a minute, idle in one for longer than five seconds (no dashboard does that), or with an
-- advisory lock. The audit writer calls it, and the monthly step before it waits for a table.
CREATE OR REPLACE FUNCTION public.end_reader_sessions() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT count(*)::integer FROM (
        SELECT pg_terminate_backend(pid)
        FROM pg_stat_activity AS session
        WHERE
            usename = 'grafana_reader'
            AND datname = current_database()
            AND (
                xact_start < clock_timestamp() - interval '1 minute'
                OR state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '5 seconds'
                OR EXISTS (SELECT FROM pg_locks AS held WHERE held.pid = session.pid AND locktype = 'advisory')
            )
        OFFSET 0
    ) AS ended
$$
