-- Everybody may make temporary tables in a new database, and objects in `public` in an old one. No role can be
-- kept from what everybody may do, so nobody may; a role that needs it is granted it by name.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END
$$
