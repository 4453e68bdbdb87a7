-- Skips, as ON CONFLICT DO NOTHING would, an event that is there already at another time. A name whose row is
-- gone (retention, a table restored in part) is free again.
CREATE FUNCTION public.claim_event_name() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.event_name AS name (event_id, occurred_at) VALUES (new.event_id, new.occurred_at)
    ON CONFLICT (event_id) DO UPDATE SET occurred_at = excluded.occurred_at
    WHERE NOT EXISTS (
        SELECT FROM public.order_event AS event
        WHERE event.event_id = name.event_id AND event.occurred_at = name.occurred_at
    );
    RETURN CASE WHEN found THEN new END;
END
$$
