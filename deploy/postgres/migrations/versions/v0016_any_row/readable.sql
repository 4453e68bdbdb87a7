-- The payload, or an empty object where it can't be read. Nearly all have no escape in them, so that nothing is tried.
CREATE FUNCTION public.readable(payload json) RETURNS json
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN strpos(payload::text, '\u') = 0 AND json_typeof(payload) = 'object' THEN payload
    WHEN public.is_readable(payload) THEN payload
    ELSE '{}'::json
END
