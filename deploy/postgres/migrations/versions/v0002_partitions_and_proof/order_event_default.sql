-- Takes what has no month yet, so that no row is ever refused for its date.
CREATE TABLE public.order_event_default PARTITION OF public.order_event DEFAULT
