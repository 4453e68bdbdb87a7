-- When the Expiration of orders passed, of those that no transaction had swept away by then.
SELECT account, sequence, occurred_at
FROM dashboard.event
WHERE account = ANY($1::text[]) AND event_type = 'order.expired' AND ledger_index IS NULL
