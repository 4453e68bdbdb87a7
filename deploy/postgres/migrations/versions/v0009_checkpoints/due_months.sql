-- The months, as 2025-10, that have a partition and ended at least so many months before this one, the oldest first.
CREATE FUNCTION public.due_months(older_than_months integer) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
    SELECT to_char(month, 'YYYY-MM')
    FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    CROSS JOIN LATERAL to_timestamp(child.relname, '"order_event_"YYYY_MM') AS month
    WHERE
        inhparent = 'public.order_event'::regclass
        AND child.relname ~ '^order_event_\d{4}_\d\d$'
        AND month < date_trunc('month', now()) - make_interval(months => older_than_months)
    ORDER BY month
$$
