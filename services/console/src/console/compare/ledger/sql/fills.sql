-- Every proven trade of the accounts, in the ledger's order.
SELECT
    account, sequence, side, transaction_hash, ledger_index, occurred_at, gave_asset, gave, got_asset, got,
    liquidity_side
FROM dashboard.order_fill
WHERE account = ANY($1::text[]) AND provenance <> 'presumed' AND transaction_hash IS NOT NULL
ORDER BY account, sequence, ledger_index, transaction_index
