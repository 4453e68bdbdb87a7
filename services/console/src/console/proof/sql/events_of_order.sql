-- $1: the account; $2: the sequence.
SELECT payload::text AS payload FROM public.order_event
WHERE account = $1 AND sequence = $2
