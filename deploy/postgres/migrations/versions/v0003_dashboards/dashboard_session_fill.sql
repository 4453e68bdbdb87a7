-- Every trade with the session that its order belongs to, and its value in the quote asset. What was presumed
-- is no trade.
CREATE VIEW dashboard.session_fill AS
SELECT
    fill.event_id,
    fill.network_id,
    fill.account,
    fill.sequence,
    event.session_id,
    fill.ledger_index,
    fill.transaction_hash,
    fill.occurred_at,
    fill.market,
    fill.side,
    fill.last_qty,
    fill.last_px,
    fill.last_qty * fill.last_px AS quote_value,
    fill.liquidity_side,
    fill.provenance
FROM public.fill
LEFT JOIN public.order_event AS event
    ON event.event_id = fill.event_id AND event.occurred_at = fill.occurred_at
WHERE fill.provenance <> 'presumed'
