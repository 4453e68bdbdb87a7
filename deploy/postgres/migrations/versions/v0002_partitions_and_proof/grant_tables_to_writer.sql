-- The partitions, the chain and the names are out of its reach: triggers of the owner's write them.
GRANT INSERT ON public.order_event TO audit_writer
