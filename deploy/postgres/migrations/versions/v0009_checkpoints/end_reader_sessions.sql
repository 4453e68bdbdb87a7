-- Ends sessions of the reader that are in one transaction for longer than a minute or hold an advisory lock, whatever
-- they have set for themselves; returns how many. The audit writer calls it.
CREATE FUNCTION public.end_reader_sessions() RETURNS integer
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
                OR EXISTS (SELECT FROM pg_locks AS held WHERE held.pid = session.pid AND locktype = 'advisory')
            )
        OFFSET 0
    ) AS ended
$$
