-- A role may change its timeouts for its own session, but not temp_file_limit. Only a superuser, or who was granted
-- it (GRANT SET ON PARAMETER temp_file_limit TO owner), may set that. To end sessions of the reader takes membership.
DO $$
BEGIN
    BEGIN
        ALTER ROLE grafana_reader SET temp_file_limit = '256MB';
    EXCEPTION
        WHEN insufficient_privilege OR internal_error THEN
            RAISE WARNING 'grafana_reader may fill the disk with temporary files: as a superuser, '
                'ALTER ROLE grafana_reader SET temp_file_limit = ''256MB''';
    END;
    BEGIN
        EXECUTE format('GRANT grafana_reader TO %I', current_user);
    EXCEPTION
        WHEN insufficient_privilege OR internal_error OR invalid_grant_operation THEN
            RAISE WARNING 'nobody ends sessions of grafana_reader that take too long: as who may, '
                'GRANT grafana_reader TO %', current_user;
    END;
END
$$
