-- What proves a ledger: headers of 118 bytes from the ledger's own to one that validators signed for, and their
-- validations. `confirmed` is what the reconciler counted when they came; a check counts again.
CREATE TABLE public.ledger_proof (
    event_id uuid PRIMARY KEY,
    network_id bigint NOT NULL,
    ledger_index bigint NOT NULL,
    ledger_hash text NOT NULL,
    occurred_at timestamptz NOT NULL,
    confirmed boolean NOT NULL,
    headers bytea[] NOT NULL,
    validations bytea[] NOT NULL,
    manifests bytea[] NOT NULL
)
