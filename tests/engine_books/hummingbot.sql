-- The columns of Hummingbot's models that hold orders and fills; KIND is BIGINT, in older versions FLOAT.
CREATE TABLE "Order" (
    id TEXT PRIMARY KEY, config_file_path TEXT, strategy TEXT, market TEXT, symbol TEXT, base_asset TEXT,
    quote_asset TEXT, creation_timestamp BIGINT, order_type TEXT, amount KIND, leverage INTEGER, price KIND,
    last_status TEXT, last_update_timestamp BIGINT, exchange_order_id TEXT, position TEXT
);
CREATE TABLE OrderStatus (id INTEGER PRIMARY KEY, order_id TEXT, timestamp BIGINT, status TEXT);
CREATE TABLE TradeFill (
    config_file_path TEXT, strategy TEXT, market TEXT, symbol TEXT, base_asset TEXT, quote_asset TEXT,
    timestamp BIGINT, order_id TEXT, trade_type TEXT, order_type TEXT, price KIND, amount KIND, leverage INTEGER,
    trade_fee JSON, trade_fee_in_quote BIGINT, exchange_trade_id TEXT, position TEXT,
    PRIMARY KEY (market, order_id, exchange_trade_id)
);
