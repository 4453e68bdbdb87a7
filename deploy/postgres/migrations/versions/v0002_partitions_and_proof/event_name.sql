-- The key (event_id, occurred_at) stores an event once where its name fixes its time, as a transaction's hash
-- does. An acceptance and an order LOST are named without one: found at adoption or read from older history,
-- an acceptance is one fact told at two times. Here stands at which of them it is stored.
CREATE TABLE public.event_name (event_id uuid PRIMARY KEY, occurred_at timestamptz NOT NULL)
