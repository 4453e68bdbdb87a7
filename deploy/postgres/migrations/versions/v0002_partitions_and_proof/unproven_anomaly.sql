-- Anomalies that were there before the events were: kept, but no event of theirs proves them.
CREATE TABLE public.unproven_anomaly (event_id text PRIMARY KEY)
