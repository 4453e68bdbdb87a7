CREATE FUNCTION public.keep_acknowledgement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an acknowledgement stays as it was made: % is not possible', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$
