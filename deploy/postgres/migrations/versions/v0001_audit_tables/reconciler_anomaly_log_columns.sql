-- For a table that was made before, by hand or by an older version.
ALTER TABLE reconciler_anomaly_log
    ADD COLUMN IF NOT EXISTS event_id uuid,
    ADD COLUMN IF NOT EXISTS detected_at timestamptz,
    ADD COLUMN IF NOT EXISTS session_id text,
    ADD COLUMN IF NOT EXISTS account text,
    ADD COLUMN IF NOT EXISTS sequence bigint,
    ADD COLUMN IF NOT EXISTS market text,
    ADD COLUMN IF NOT EXISTS side text,
    ADD COLUMN IF NOT EXISTS price numeric,
    ADD COLUMN IF NOT EXISTS remaining numeric,
    ADD COLUMN IF NOT EXISTS removal_reason text,
    ADD COLUMN IF NOT EXISTS action_taken text,
    ADD COLUMN IF NOT EXISTS mid_price numeric,
    ADD COLUMN IF NOT EXISTS distance_bps numeric
