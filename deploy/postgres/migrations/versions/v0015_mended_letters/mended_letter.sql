-- Messages that could not be stored as they came, and what a person had stored in their place. The id derives from
-- both, so that the same mending again adds nothing.
CREATE TABLE public.mended_letter (
    mending_id text PRIMARY KEY,
    mended_at timestamptz NOT NULL DEFAULT now(),
    mended_by text NOT NULL CHECK (mended_by <> ''),
    note text NOT NULL CHECK (note <> ''),
    stream text NOT NULL,
    stream_sequence text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    event_id uuid NOT NULL,
    came bytea NOT NULL,
    sent bytea NOT NULL
)
