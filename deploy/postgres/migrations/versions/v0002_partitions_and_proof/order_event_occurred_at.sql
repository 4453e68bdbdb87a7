CREATE INDEX order_event_occurred_at ON public.order_event USING brin (occurred_at)
