CREATE OR REPLACE VIEW dashboard.order_fill AS
SELECT
    event_id, network_id, account, sequence, trade_id, ledger_index, transaction_hash, transaction_index,
    occurred_at, market, side, last_qty, last_px, gave_asset, gave, got_asset, got, liquidity_side, provenance
FROM public.fill
