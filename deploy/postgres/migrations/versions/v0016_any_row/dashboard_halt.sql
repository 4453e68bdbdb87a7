-- Halts, and who resumed them.
CREATE OR REPLACE VIEW dashboard.halt AS
SELECT
    halt.event_id,
    halt.network_id,
    halt.account,
    halt.session_id,
    halt.occurred_at,
    halt.ledger_index,
    public.readable(halt.payload) ->> 'reason' AS reason,
    resumed.occurred_at AS resumed_at,
    public.readable(resumed.payload) ->> 'resumed_by' AS resumed_by,
    public.readable(resumed.payload) ->> 'note' AS note,
    resumed.event_id IS NULL AS open
FROM public.order_event AS halt
LEFT JOIN public.order_event AS resumed
    ON
        resumed.sequence = 0
        AND resumed.event_type = 'reconciler.resumed'
        AND public.readable(resumed.payload) ->> 'answers' = halt.event_id::text
WHERE halt.sequence = 0 AND halt.event_type = 'reconciler.halted'
