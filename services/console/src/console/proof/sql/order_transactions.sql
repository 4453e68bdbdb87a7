-- The kept transactions that changed an order, or were to place it.
-- $1: the account; $2: the sequence.
SELECT changed.transaction_hash, changed.ledger_hash, changed.ledger_index, transaction, metadata, path, network_id
FROM public.proven_order AS touched
JOIN public.proven_transaction AS changed USING (transaction_hash, ledger_hash)
WHERE touched.account = $1 AND touched.sequence = $2
