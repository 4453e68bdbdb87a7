CREATE TRIGGER claim_event_name BEFORE INSERT ON public.order_event
FOR EACH ROW WHEN (new.event_type = 'order.accepted' OR new.transaction_hash IS NULL)
EXECUTE FUNCTION public.claim_event_name()
