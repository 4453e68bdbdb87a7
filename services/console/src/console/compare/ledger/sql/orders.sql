-- Where each order of the accounts stands. What is LOST has never been on a ledger.
SELECT
    account, sequence, market, side, price, quantity, status, removal_reason, removed_by, ledger_index, occurred_at
FROM dashboard.order_state
WHERE account = ANY($1::text[]) AND status <> 'LOST'
