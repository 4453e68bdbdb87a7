-- $1: how many. Orders of which proofs are kept, taken by chance.
SELECT account, sequence FROM public.proven_order
GROUP BY account, sequence
ORDER BY random() LIMIT $1
