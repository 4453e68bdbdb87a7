-- Adds an act to the chain, which goes on after it.
CREATE FUNCTION public.append_act(act text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    link public.batch_digest;
BEGIN
    link.event_ids := '{}';
    link.occurred_at := '{}';
    link.payload_digests := '{}';
    link.act := append_act.act;
    PERFORM public.append_link(link, convert_to(link.act, 'UTF8'));
END
$$
