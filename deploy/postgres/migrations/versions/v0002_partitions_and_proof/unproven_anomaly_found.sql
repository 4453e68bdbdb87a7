INSERT INTO public.unproven_anomaly (event_id)
SELECT DISTINCT anomaly.event_id::text
FROM public.reconciler_anomaly_log AS anomaly
WHERE anomaly.event_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM public.order_event_unpartitioned AS event WHERE event.event_id::text = anomaly.event_id::text
)
