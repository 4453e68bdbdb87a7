-- $1: a JSON array of order.filled events.
INSERT INTO fill (
    event_id, network_id, account, sequence, trade_id, ledger_index, transaction_hash, transaction_index,
    occurred_at, market, side, last_qty, last_px, gave_asset, gave, got_asset, got, liquidity_side, provenance
)
SELECT
    event_id, network_id, account, sequence, trade_id, ledger_index, transaction_hash, transaction_index,
    occurred_at, market, side, last_qty, last_px,
    gave ->> 'asset', (gave ->> 'value')::numeric, got ->> 'asset', (got ->> 'value')::numeric,
    liquidity_side, provenance
FROM json_to_recordset($1::json) AS event (
    event_id uuid,
    network_id bigint,
    account text,
    sequence bigint,
    trade_id text,
    ledger_index bigint,
    transaction_hash text,
    transaction_index integer,
    occurred_at timestamptz,
    market text,
    side text,
    last_qty numeric,
    last_px numeric,
    gave json,
    got json,
    liquidity_side text,
    provenance text
)
ON CONFLICT DO NOTHING
