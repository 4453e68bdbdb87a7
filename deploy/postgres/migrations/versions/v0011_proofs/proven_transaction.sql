-- A transaction that changed a followed order, with its path in the tree of its ledger's transactions. The ledger is
-- part of the key: what one server showed of another chain keeps nothing out.
CREATE TABLE public.proven_transaction (
    transaction_hash text NOT NULL,
    ledger_hash text NOT NULL,
    ledger_index bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    transaction bytea NOT NULL,
    metadata bytea NOT NULL,
    path bytea NOT NULL,
    PRIMARY KEY (transaction_hash, ledger_hash)
)
