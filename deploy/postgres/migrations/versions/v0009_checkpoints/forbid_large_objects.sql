-- Large objects can be made by every role, of any size. Only a superuser can take that away; where the owner is none,
-- the size of the database still shows them (alert DatabaseFullSoon).
DO $$
BEGIN
    REVOKE EXECUTE ON FUNCTION
        lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea), lo_put(oid, bigint, bytea),
        lowrite(integer, bytea), lo_truncate(integer, integer), lo_truncate64(integer, bigint)
    FROM PUBLIC;
    IF has_function_privilege('public', 'lo_create(oid)', 'EXECUTE') THEN
        RAISE WARNING 'every role may make large objects: as a superuser, REVOKE EXECUTE ON FUNCTION lo_create(oid) ...';
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE WARNING 'every role may make large objects: as a superuser, REVOKE EXECUTE ON FUNCTION lo_create(oid) ...';
END
$$
