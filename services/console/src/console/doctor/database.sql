-- What the doctor wants to know of a database, of whatever version and however little is in it.
SELECT
    current_setting('server_version_num')::int / 10000 AS version,
    current_setting('server_version') AS server,
    current_setting('server_encoding') AS encoding,
    clock_timestamp() AS now,
    pg_is_in_recovery() AS standby,
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted,
    current_user::text AS role,
    has_table_privilege(to_regclass('order_event'), 'SELECT') AS reads,
    (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('order_event')) AS owns,
    to_regclass('fillproof_schema_version') IS NOT NULL AS migrated,
    to_regclass('order_event_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')) IS NOT NULL AS this_month,
    to_regclass('order_event_' || to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM')) IS NOT NULL
        AS next_month,
    pg_database_size(current_database()) AS bytes,
    ARRAY(
        SELECT DISTINCT application_name
        FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'fillproof-audit-writer%'
    ) AS writers
