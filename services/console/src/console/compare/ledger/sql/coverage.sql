-- From which ledger to which the events of each account reach, up to a last ledger where one is given ($2).
SELECT
    account,
    min(ledger_index) AS first_ledger,
    max(ledger_index) AS last_ledger,
    min(occurred_at) AS first_time,
    max(occurred_at) AS last_time
FROM dashboard.event
WHERE account = ANY($1::text[]) AND ledger_index <= coalesce($2::bigint, 4294967295)
GROUP BY account
