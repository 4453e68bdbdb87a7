-- Takes what the audit writer sees of a stream and returns what is missing of it. What is stored without a gap from
-- the beginning is kept as one range.
CREATE FUNCTION public.watch_stream(
    stream text, identity timestamptz, acknowledged bigint, last_sequence bigint
) RETURNS SETOF public.missing_sequence
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    watch public.stream_watch;
    stored int8multirange;
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.stream_watch AS kept
        WHERE kept.stream = watch_stream.stream AND kept.identity = watch_stream.identity
    ) THEN
        -- In a database that was used before anybody watched, what was acknowledged is taken for stored
        INSERT INTO public.stream_watch (stream, identity, known, acknowledged, seen)
        SELECT
            watch_stream.stream, watch_stream.identity,
            int8multirange(int8range(1, CASE
                WHEN EXISTS (SELECT FROM public.order_event)
                AND NOT EXISTS (SELECT FROM public.stream_range)
                AND NOT EXISTS (SELECT FROM public.stream_watch) THEN watch_stream.acknowledged + 1
                ELSE 1
            END)),
            0, 0
        ON CONFLICT DO NOTHING;
    END IF;
    -- What an earlier stream of that name had will not come any more
    UPDATE public.stream_watch AS earlier SET acknowledged = greatest(earlier.acknowledged, earlier.seen)
    WHERE
        earlier.stream = watch_stream.stream
        AND earlier.identity < watch_stream.identity
        AND earlier.acknowledged < earlier.seen;
    SELECT * INTO STRICT watch FROM public.stream_watch AS kept
    WHERE kept.stream = watch_stream.stream AND kept.identity = watch_stream.identity FOR UPDATE;
    SELECT coalesce(range_agg(piece), '{}') INTO stored
    FROM public.stream_range AS batch, unnest(batch.sequences) AS piece
    WHERE batch.stream = watch.stream AND batch.identity = watch.identity;
    watch.known := watch.known + stored;
    IF watch_stream.last_sequence < watch.seen THEN
        watch.lost := watch.lost
            + (int8multirange(int8range(watch_stream.last_sequence + 1, watch.seen + 1)) - watch.known);
    END IF;
    watch.seen := watch_stream.last_sequence;
    watch.acknowledged := greatest(0, least(watch_stream.acknowledged, watch_stream.last_sequence));
    IF lower(watch.known) = 1 THEN
        WITH taken AS (
            DELETE FROM public.stream_range AS batch
            WHERE
                batch.stream = watch.stream
                AND batch.identity = watch.identity
                AND upper(batch.sequences) <= (
                    SELECT upper(piece) FROM unnest(watch.known) AS piece WHERE lower(piece) = 1
                )
            RETURNING first_ledger
        )
        SELECT coalesce(max(first_ledger), watch.ledger) INTO watch.ledger FROM taken;
    END IF;
    UPDATE public.stream_watch AS kept
    SET (known, acknowledged, seen, lost, ledger)
        = (watch.known, watch.acknowledged, watch.seen, watch.lost, watch.ledger)
    WHERE
        kept.stream = watch.stream
        AND kept.identity = watch.identity
        AND (kept.known, kept.acknowledged, kept.seen, kept.lost)
            IS DISTINCT FROM (watch.known, watch.acknowledged, watch.seen, watch.lost);
    RETURN QUERY SELECT missing.* FROM public.missing_sequence AS missing WHERE missing.stream = watch_stream.stream;
END
$$
