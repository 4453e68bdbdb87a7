INSERT INTO public.database_limit (bytes) VALUES (20000000000)
