-- Which transactions changed which order; an order that none changed was to be placed by its own.
CREATE TABLE public.proven_order (
    account text NOT NULL,
    sequence bigint NOT NULL,
    network_id bigint NOT NULL,
    transaction_hash text NOT NULL,
    ledger_hash text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (account, sequence, network_id, transaction_hash, ledger_hash)
)
