-- From here to the end of the migration writers wait.
ALTER TABLE public.order_event RENAME TO order_event_unpartitioned
