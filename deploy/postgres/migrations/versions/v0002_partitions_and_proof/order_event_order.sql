-- What happened to one order: the question that the table is there for.
CREATE INDEX order_event_order ON public.order_event (account, sequence)
