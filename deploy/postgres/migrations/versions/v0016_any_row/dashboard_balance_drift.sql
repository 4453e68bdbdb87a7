-- Balances that fills, fees and payments do not explain: so much more than explained (less, if negative), in
-- drops for XRP and in decimal tokens otherwise. `since_ledger` is the first ledger in which it may have begun.
CREATE OR REPLACE VIEW dashboard.balance_drift AS
SELECT
    drift.event_id,
    drift.network_id,
    drift.account,
    drift.session_id,
    drift.occurred_at,
    drift.ledger_index,
    told.currency,
    told.issuer,
    public.number(told.amount) AS amount,
    public.ledger_number(told.since_ledger) AS since_ledger,
    acknowledged.event_id IS NULL AS open
FROM public.order_event AS drift
CROSS JOIN LATERAL json_to_record(public.readable(drift.payload)) AS told (
    currency text,
    issuer text,
    amount text,
    since_ledger text
)
LEFT JOIN public.anomaly_acknowledgement AS acknowledged ON acknowledged.event_id = drift.event_id::text
WHERE drift.sequence = 0 AND drift.event_type = 'reconciler.balance_drift'
