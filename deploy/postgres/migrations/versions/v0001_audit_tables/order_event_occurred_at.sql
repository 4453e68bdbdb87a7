CREATE INDEX IF NOT EXISTS order_event_occurred_at ON order_event USING brin (occurred_at)
