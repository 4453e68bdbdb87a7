-- $1: ids that have no row at their time. Those that have one at another.
SELECT event_id, occurred_at, ledger_index FROM public.order_event WHERE event_id = ANY ($1::uuid[])
