-- Whether a payload is a JSON object whose texts PostgreSQL can hold.
CREATE FUNCTION public.is_readable(payload json) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN jsonb_typeof(payload::jsonb) = 'object';
EXCEPTION
    WHEN others THEN
        RETURN false;
END
$$
