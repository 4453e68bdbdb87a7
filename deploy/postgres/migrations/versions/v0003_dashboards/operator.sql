-- What a person who acknowledges anomalies needs: GRANT fillproof_operator TO somebody. Nobody logs in as it.
DO $$
BEGIN
    IF to_regrole('fillproof_operator') IS NULL THEN
        CREATE ROLE fillproof_operator NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        RAISE NOTICE 'another migration is making the role';
END
$$
