-- For `fillproof prove --database`. Nothing in these tables is secret: it is what the ledger and its validators publish.
GRANT SELECT ON public.ledger_proof, public.proven_transaction, public.proven_order, public.validator_list
TO fillproof_operator
