-- The number that a text is; null where it is none.
CREATE FUNCTION public.number(written text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN written ~ '^[-+]?[0-9]{1,100}([.][0-9]{0,100})?([eE][-+]?[0-9]{1,3})?$' THEN written::numeric END
