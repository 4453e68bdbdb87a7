-- The anomaly chip: how many orders ended for a reason the engine neither asked for nor planned.
--
-- One statement that also works where nothing was migrated yet. A plain SELECT on a missing table can't be
-- planned, so the count has to be a query in a string. ts_stat runs one and counts the rows that hold a word;
-- here each row is the one word `row`. It is strict: no source, no query, no rows, 0. (query_to_xml would do
-- the same, but fails on servers built without libxml.) A table made by hand is counted before the view exists.
SELECT coalesce(sum(counted.ndoc), 0)::bigint AS anomalies
FROM
    (
        SELECT coalesce(to_regclass('dashboard.open_anomaly'), to_regclass('public.reconciler_anomaly_log'))::text
    ) AS found (source),
    ts_stat('SELECT ''row''::tsvector FROM ' || found.source) AS counted
