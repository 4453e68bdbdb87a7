-- $1: how many. Events that a transaction proves, taken by chance.
SELECT payload::text AS payload FROM public.order_event
WHERE transaction_hash IS NOT NULL
ORDER BY random() LIMIT $1
