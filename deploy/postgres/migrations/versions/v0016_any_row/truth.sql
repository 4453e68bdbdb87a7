-- The truth value that a text is in JSON; null where it is none.
CREATE FUNCTION public.truth(written text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE written WHEN 'true' THEN true WHEN 'false' THEN false END
