-- What checkpoints are made of: no payload, and no event's id.
GRANT SELECT (position, previous, digest, act) ON public.batch_digest TO audit_writer
