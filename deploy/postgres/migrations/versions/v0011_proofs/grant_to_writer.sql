GRANT INSERT ON public.ledger_proof, public.proven_transaction, public.proven_order, public.validator_list TO audit_writer
