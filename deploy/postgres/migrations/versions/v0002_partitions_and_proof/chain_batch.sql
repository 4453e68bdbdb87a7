-- Puts the events that one INSERT has really added into the chain. What is there already is not among them.
CREATE FUNCTION public.chain_batch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    link public.batch_digest;
    content bytea;
BEGIN
    SELECT
        array_agg(event_id), array_agg(occurred_at), array_agg(payload_digest), min(ledger_index),
        max(ledger_index), string_agg(uuid_send(event_id) || timestamptz_send(occurred_at) || payload_digest, '')
    INTO link.event_ids, link.occurred_at, link.payload_digests, link.first_ledger, link.last_ledger, content
    FROM (
        SELECT event_id, occurred_at, ledger_index, sha256(convert_to(payload::text, 'UTF8')) AS payload_digest
        FROM added
        ORDER BY event_id
    ) AS event;
    IF content IS NOT NULL THEN
        PERFORM public.append_link(link, content);
    END IF;
    RETURN NULL;
END
$$
