-- The ledger's index that a text is; null where it is none.
CREATE FUNCTION public.ledger_number(written text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN written ~ '^[0-9]{1,18}$' THEN written::bigint END
