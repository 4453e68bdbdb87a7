-- Every event as it was published; append-only. No column comes from a clock: a replay writes the same rows.
CREATE TABLE IF NOT EXISTS order_event (
    event_id uuid PRIMARY KEY,
    event_type text NOT NULL,
    version integer NOT NULL,
    network_id bigint NOT NULL,
    account text NOT NULL,
    sequence bigint NOT NULL,
    client_order_id text,
    session_id text,
    ledger_index bigint,
    transaction_hash text,
    transaction_index integer,
    status text NOT NULL,
    occurred_at timestamptz NOT NULL,
    payload jsonb NOT NULL
)
