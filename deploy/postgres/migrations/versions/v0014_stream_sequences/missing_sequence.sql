-- Messages that the audit writer's consumer is done with, or that a stream was seen to have, and that are not stored.
-- Their events are of ledgers from first_ledger to last_ledger (null: up to the newest), if no account was far behind.
CREATE VIEW public.missing_sequence AS
SELECT
    watch.stream,
    watch.identity,
    lower(gap) AS first_sequence,
    upper(gap) - 1 AS last_sequence,
    watch.ledger AS first_ledger,
    (
        SELECT max(stored.last_ledger) FROM public.stream_range AS stored
        WHERE
            stored.stream = watch.stream
            AND stored.identity = watch.identity
            AND lower(stored.sequences) >= upper(gap)
    ) AS last_ledger
FROM public.stream_watch AS watch
CROSS JOIN LATERAL unnest(
    int8multirange(int8range(1, watch.acknowledged + 1)) - watch.known + watch.lost
) AS gap
