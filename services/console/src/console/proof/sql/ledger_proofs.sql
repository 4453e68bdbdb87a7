-- What proves some ledgers, the best of each first.
-- $1: their hashes.
SELECT ledger_hash, ledger_index, confirmed, headers, validations, manifests
FROM public.ledger_proof
WHERE ledger_hash = ANY ($1)
ORDER BY confirmed DESC, cardinality(validations) DESC
