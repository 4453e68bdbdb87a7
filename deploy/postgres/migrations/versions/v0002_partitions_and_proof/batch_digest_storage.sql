-- Digests do not compress: no time is lost on trying.
ALTER TABLE public.batch_digest
    ALTER COLUMN event_ids SET STORAGE EXTERNAL,
    ALTER COLUMN occurred_at SET STORAGE EXTERNAL,
    ALTER COLUMN payload_digests SET STORAGE EXTERNAL
