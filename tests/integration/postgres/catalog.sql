-- What the schema is made of: columns, constraints, indexes, triggers, functions, views, rights. Not the months.
WITH relation AS (
    SELECT pg_class.oid, nspname || '.' || relname AS name, relkind, relacl
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname IN ('public', 'dashboard') AND relname !~ '^order_event_\d{4}_'
)

SELECT 'column' AS kind, name || '.' || attname AS name,
    format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END AS definition
FROM relation JOIN pg_attribute ON attrelid = oid
WHERE attnum > 0 AND relkind IN ('r', 'p', 'v')
UNION ALL
SELECT 'constraint', name || '.' || conname, pg_get_constraintdef(pg_constraint.oid)
FROM relation JOIN pg_constraint ON conrelid = relation.oid
UNION ALL
SELECT 'index', name, pg_get_indexdef(oid) FROM relation WHERE relkind IN ('i', 'I')
UNION ALL
SELECT 'trigger', name || '.' || tgname, pg_get_triggerdef(pg_trigger.oid)
FROM relation JOIN pg_trigger ON tgrelid = relation.oid
UNION ALL
SELECT 'function', proname, pg_get_functiondef(oid) || coalesce(proacl::text, '')
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'view', name, pg_get_viewdef(oid) FROM relation WHERE relkind = 'v'
UNION ALL
SELECT 'rights', name, coalesce(relacl::text, '') FROM relation WHERE relkind IN ('r', 'p', 'v')
ORDER BY 1, 2
