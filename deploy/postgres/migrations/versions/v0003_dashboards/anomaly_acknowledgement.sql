-- Who has looked at an anomaly, when and why it needs no more: the first word stands.
-- The id is text, as a log made by hand may have ids that are no UUIDs.
CREATE TABLE public.anomaly_acknowledgement (
    event_id text PRIMARY KEY,
    acknowledged_at timestamptz NOT NULL DEFAULT now(),
    acknowledged_by text NOT NULL CHECK (acknowledged_by <> ''),
    note text NOT NULL CHECK (note <> '')
)
