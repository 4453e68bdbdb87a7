-- Every event that tells of an order's end. One order may have several: a removal and its last fill, an
-- Expiration that passed and the transaction that swept it away, LOST and what explained it later. Who counts
-- orders takes one of them, and LOST last.
CREATE OR REPLACE VIEW dashboard.order_end AS
SELECT
    event_id,
    network_id,
    account,
    sequence,
    session_id,
    status,
    coalesce(public.readable(payload) ->> 'removal_reason', status) AS cause,
    ledger_index,
    occurred_at
FROM public.order_event
WHERE status IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'REMOVED', 'LOST')
