-- One row a trade of an order. last_qty and last_px are in base and in quote per base; gave and got are
-- in drops where the asset is XRP and in decimal tokens otherwise.
CREATE TABLE IF NOT EXISTS fill (
    event_id uuid PRIMARY KEY,
    network_id bigint NOT NULL,
    account text NOT NULL,
    sequence bigint NOT NULL,
    trade_id text NOT NULL,
    ledger_index bigint,
    transaction_hash text,
    transaction_index integer,
    occurred_at timestamptz NOT NULL,
    market text NOT NULL,
    side text NOT NULL,
    last_qty numeric NOT NULL,
    last_px numeric,
    gave_asset text NOT NULL,
    gave numeric NOT NULL,
    got_asset text NOT NULL,
    got numeric NOT NULL,
    liquidity_side text NOT NULL,
    provenance text NOT NULL
)
