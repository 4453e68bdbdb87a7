CREATE INDEX proven_transaction_time ON public.proven_transaction USING brin (occurred_at)
