-- $1: a JSON array of events. Both functions walk it in the same order: columns beside the whole event.
-- An event about an account, and not about one of its orders, has sequence 0 and no status.
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
