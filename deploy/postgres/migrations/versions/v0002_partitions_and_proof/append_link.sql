-- Adds one row to the chain; `content` is what its digest is over, after the previous digest and the position.
CREATE FUNCTION public.append_link(link public.batch_digest, content bytea) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT head.position + 1, head.digest INTO STRICT link.position, link.previous
    FROM public.chain_head AS head FOR UPDATE;
    link.digest := sha256(link.previous || int8send(link.position) || content);
    INSERT INTO public.batch_digest SELECT link.*;
    UPDATE public.chain_head SET position = link.position, digest = link.digest;
END
$$
