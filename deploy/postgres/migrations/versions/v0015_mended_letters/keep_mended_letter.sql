CREATE FUNCTION public.keep_mended_letter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was mended stays on record: % is not possible', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$
