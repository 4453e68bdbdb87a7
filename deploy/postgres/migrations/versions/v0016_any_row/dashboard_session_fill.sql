-- Every trade with the session that its order belongs to, and its value in the quote asset. What was presumed
-- is no trade.
CREATE OR REPLACE VIEW dashboard.session_fill AS
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
    -- a number that no amount of the ledger has could not be multiplied
    CASE WHEN abs(fill.last_qty) < 1e1000 AND abs(fill.last_px) < 1e1000 THEN fill.last_qty * fill.last_px END
    AS quote_value,
    fill.liquidity_side,
    fill.provenance
FROM public.fill
LEFT JOIN public.order_event AS event
    ON event.event_id = fill.event_id AND event.occurred_at = fill.occurred_at
WHERE fill.provenance <> 'presumed'
