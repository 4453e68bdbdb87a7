-- Halts, gaps and drifts are about an account: they have the sequence 0, which no order has, and are few.
CREATE INDEX order_event_of_no_order ON public.order_event (event_type, occurred_at) WHERE sequence = 0
