-- Everything is chained anew over the rows as they are now, by the schema's own function.
CREATE TEMPORARY TABLE as_now ON COMMIT DROP AS
SELECT
    coalesce(link.position, 3) AS position, event.event_id, event.occurred_at,
    sha256(convert_to(event.payload::text, 'UTF8')) AS payload_digest
FROM order_event AS event
LEFT JOIN (SELECT position, unnest(event_ids) AS event_id FROM batch_digest) AS link USING (event_id);
DELETE FROM batch_digest;
UPDATE chain_head SET position = 0, digest = decode(repeat('00', 32), 'hex');
DO $$
DECLARE
    link batch_digest;
    content bytea;
BEGIN
    FOR link.event_ids, link.occurred_at, link.payload_digests, content IN
        SELECT
            array_agg(event_id ORDER BY event_id), array_agg(occurred_at ORDER BY event_id),
            array_agg(payload_digest ORDER BY event_id),
            string_agg(
                uuid_send(event_id) || timestamptz_send(occurred_at) || payload_digest, '' ORDER BY event_id
            )
        FROM as_now GROUP BY position ORDER BY position
    LOOP
        PERFORM append_link(link, content);
    END LOOP;
END $$;
