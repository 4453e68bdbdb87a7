ALTER TABLE public.batch_digest ADD COLUMN act text
