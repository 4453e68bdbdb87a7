-- Where the chain of digests ends: noted somewhere else, it proves later that nothing before it was changed.
CREATE VIEW dashboard.chain_head AS
SELECT position, encode(digest, 'hex') AS digest FROM public.chain_head
