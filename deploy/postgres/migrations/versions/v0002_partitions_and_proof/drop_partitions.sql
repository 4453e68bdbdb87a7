-- Drops every month that ended at least so many months before this one, and says so in the chain: what
-- retention dropped is never taken for what somebody removed. Returns the names of what it dropped.
CREATE FUNCTION public.drop_partitions(older_than_months integer) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    month timestamptz;
    partition text;
    link public.batch_digest;
BEGIN
    IF older_than_months < 1 THEN
        RAISE 'older_than_months: expected at least 1, found %', older_than_months
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    link.event_ids := '{}';
    link.occurred_at := '{}';
    link.payload_digests := '{}';
    FOR partition IN
        SELECT child.relname
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'public.order_event'::regclass AND child.relname ~ '^order_event_\d+_\d\d$'
        ORDER BY 1
    LOOP
        month := to_timestamp(partition, '"order_event_"YYYY_MM');
        CONTINUE WHEN month >= date_trunc('month', now()) - make_interval(months => older_than_months);
        EXECUTE format('DROP TABLE public.%I', partition);
        link.dropped_from := month;
        link.dropped_before := month + interval '1 month';
        PERFORM public.append_link(
            link, timestamptz_send(link.dropped_from) || timestamptz_send(link.dropped_before)
        );
        RETURN NEXT partition;
    END LOOP;
END
$$
