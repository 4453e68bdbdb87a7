-- A whole batch in one statement, which is its own transaction: one answer to wait for. insert_range.sql may follow,
-- and then a SELECT of what is wanted to know.
-- $1: a JSON array of events; $2: the order.filled among them; $3: the anomalies among them, which are
-- order.disappeared and reconciler.balance_drift events.
-- A drift belongs to no order: sequence 0, no side, nothing remaining; the market is the asset. An event about an
-- account, and not about one of its orders, has sequence 0 and no status.
-- The tables are locked in this order, in which a migration that runs meanwhile changes them: neither waits for the
-- other for ever. The functions of the last one walk their array in the same order: columns beside the whole event.
WITH new_fill AS (
    INSERT INTO fill (
        event_id, network_id, account, sequence, trade_id, ledger_index, transaction_hash, transaction_index,
        occurred_at, market, side, last_qty, last_px, gave_asset, gave, got_asset, got, liquidity_side, provenance
    )
    SELECT
        event_id, network_id, account, sequence, trade_id, ledger_index, transaction_hash, transaction_index,
        occurred_at, market, side, last_qty, last_px,
        gave ->> 'asset', (gave ->> 'value')::numeric, got ->> 'asset', (got ->> 'value')::numeric,
        liquidity_side, provenance
    FROM json_to_recordset($2::json) AS event (
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
), new_anomaly AS (
    INSERT INTO reconciler_anomaly_log (
        event_id, detected_at, session_id, account, sequence, market, side, price, remaining, removal_reason,
        action_taken, mid_price, distance_bps
    )
    SELECT
        event_id, occurred_at, session_id, account, coalesce(sequence, 0),
        coalesce(market, concat_ws('.', currency, issuer)), coalesce(side, ''), price, coalesce(remaining, 0),
        CASE event_type WHEN 'reconciler.balance_drift' THEN 'BALANCE_DRIFT' ELSE coalesce(removal_reason, 'UNKNOWN') END,
        coalesce(action_taken, 'none'),
        (market_context ->> 'mid_price')::numeric, (market_context ->> 'distance_bps')::numeric
    FROM json_to_recordset($3::json) AS event (
        event_id uuid,
        event_type text,
        occurred_at timestamptz,
        session_id text,
        account text,
        sequence bigint,
        currency text,
        issuer text,
        market text,
        side text,
        price numeric,
        remaining numeric,
        removal_reason text,
        action_taken text,
        market_context json
    )
    ON CONFLICT DO NOTHING
), new_event AS (
    INSERT INTO order_event (
        event_id, event_type, version, network_id, account, sequence, client_order_id, session_id,
        ledger_index, transaction_hash, transaction_index, status, occurred_at, payload
    )
    SELECT
        event_id, event_type, coalesce(version, 1), network_id, account, coalesce(sequence, 0), client_order_id,
        session_id, ledger_index, transaction_hash, transaction_index, coalesce(status, ''), occurred_at, payload
    FROM ROWS FROM (
        json_to_recordset($1::json) AS (
            event_id uuid,
            event_type text,
            version integer,
            network_id bigint,
            account text,
            sequence bigint,
            client_order_id text,
            session_id text,
            ledger_index bigint,
            transaction_hash text,
            transaction_index integer,
            status text,
            occurred_at timestamptz
        ),
        json_array_elements($1::json)
    ) AS event (
        event_id, event_type, version, network_id, account, sequence, client_order_id, session_id,
        ledger_index, transaction_hash, transaction_index, status, occurred_at, payload
    )
    ON CONFLICT DO NOTHING
    RETURNING 1
)
