CREATE INDEX proven_order_time ON public.proven_order USING brin (occurred_at)
