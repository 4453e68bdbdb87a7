-- The transactions that placed orders. An order that was there already when its account was adopted has none.
SELECT account, sequence, transaction_hash, ledger_index, occurred_at
FROM dashboard.event
WHERE
    account = ANY($1::text[])
    AND event_type IN ('order.accepted', 'order.rejected')
    AND transaction_hash IS NOT NULL
    AND ledger_index IS NOT NULL
