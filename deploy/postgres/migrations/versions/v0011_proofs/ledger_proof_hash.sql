CREATE INDEX ledger_proof_hash ON public.ledger_proof (ledger_hash)
