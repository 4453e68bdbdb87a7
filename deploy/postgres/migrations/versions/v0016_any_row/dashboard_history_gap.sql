-- Ledgers that no server could show, and when they were read after all.
CREATE OR REPLACE VIEW dashboard.history_gap AS
SELECT
    gap.event_id,
    gap.network_id,
    gap.account,
    gap.session_id,
    gap.occurred_at,
    public.ledger_number(public.readable(gap.payload) ->> 'first_ledger') AS first_ledger,
    public.ledger_number(public.readable(gap.payload) ->> 'last_ledger') AS last_ledger,
    healed.occurred_at AS resolved_at,
    healed.event_id IS NULL AS open
FROM public.order_event AS gap
LEFT JOIN public.order_event AS healed
    ON
        healed.sequence = 0
        AND healed.event_type = 'reconciler.history_gap'
        AND public.readable(healed.payload) ->> 'corrects' = gap.event_id::text
WHERE
    gap.sequence = 0
    AND gap.event_type = 'reconciler.history_gap'
    AND public.readable(gap.payload) ->> 'resolution' = 'pending'
