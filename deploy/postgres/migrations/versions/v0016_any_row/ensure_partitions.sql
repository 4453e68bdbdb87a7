-- Makes the partitions of this month, of so many months ahead, and of every month of which the default
-- partition has rows of a time that the ledger can have: those are moved. Returns the names of what it made.
CREATE OR REPLACE FUNCTION public.ensure_partitions(months_ahead integer) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    month timestamptz;
    partition text;
BEGIN
    -- Writers wait, so that none sends a row to the default partition that has just got a month of its own
    LOCK TABLE public.order_event IN SHARE ROW EXCLUSIVE MODE;
    FOR month IN
        SELECT generate_series(date_trunc('month', now()), now() + make_interval(months => months_ahead), '1 month')
        UNION
        SELECT date_trunc('month', occurred_at) FROM public.order_event_default
        WHERE occurred_at >= '2000-01-01 00:00:00Z' AND occurred_at < '9999-12-01 00:00:00Z'
        ORDER BY 1
    LOOP
        partition := to_char(month, '"order_event_"YYYY_MM');
        CONTINUE WHEN to_regclass(format('public.%I', partition)) IS NOT NULL;
        EXECUTE format(
            'CREATE TABLE public.%I (LIKE public.order_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition
        );
        EXECUTE format(
            'WITH moved AS (
                DELETE FROM public.order_event_default WHERE occurred_at >= %L AND occurred_at < %L RETURNING *
            ) INSERT INTO public.%I SELECT * FROM moved',
            month, month + interval '1 month', partition
        );
        EXECUTE format(
            'ALTER TABLE public.order_event ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            partition, month, month + interval '1 month'
        );
        RETURN NEXT partition;
    END LOOP;
END
$$
