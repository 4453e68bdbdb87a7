-- One row an order that ended for a reason the engine neither asked for nor planned; all else hangs on event_id.
CREATE TABLE IF NOT EXISTS reconciler_anomaly_log (
    event_id uuid PRIMARY KEY,
    detected_at timestamptz NOT NULL,
    session_id text,
    account text NOT NULL,
    sequence bigint NOT NULL,
    market text NOT NULL,
    side text NOT NULL,
    price numeric,
    remaining numeric NOT NULL,
    removal_reason text NOT NULL,
    action_taken text NOT NULL,
    mid_price numeric,
    distance_bps numeric
)
