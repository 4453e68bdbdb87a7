-- Whether each column of an event says what its payload says; a payload that can't be read says nothing.
CREATE FUNCTION public.agrees(event public.order_event) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN event::text = json_populate_record(event, event.payload)::text
        AND event.version = coalesce((event.payload ->> 'version')::integer, 1);
EXCEPTION
    WHEN others THEN
        RETURN false;
END
$$
