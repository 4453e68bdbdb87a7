-- Every event without its payload.
CREATE VIEW dashboard.event AS
SELECT
    event_id, event_type, network_id, account, sequence, client_order_id, session_id, status, ledger_index,
    transaction_hash, transaction_index, occurred_at
FROM public.order_event
