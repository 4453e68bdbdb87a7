CREATE INDEX ledger_proof_time ON public.ledger_proof USING brin (occurred_at)
