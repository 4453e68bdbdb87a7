-- Ledgers that no server could show.
SELECT account, first_ledger, last_ledger
FROM dashboard.history_gap
WHERE account = ANY($1::text[]) AND open
ORDER BY account, first_ledger
