INSERT INTO public.chain_head (position, digest) VALUES (0, decode(repeat('00', 32), 'hex'))
