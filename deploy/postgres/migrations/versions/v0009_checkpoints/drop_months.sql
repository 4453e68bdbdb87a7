-- Drops the partitions of these months, and adds the operator's signed act to the chain. The fills and anomalies of
-- the dropped events stay: the act's rows of the chain list them, 10,000 each, with digests of their own, as no
-- event can show any more what they were. Returns the names of what it dropped.
CREATE FUNCTION public.drop_months(months text[], act text) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
AS $$
DECLARE
    month text;
    partition text;
    link public.batch_digest;
    content bytea;
BEGIN
    CREATE TEMPORARY TABLE kept (event_id uuid, occurred_at timestamptz, row_digest bytea) ON COMMIT DROP;
    FOREACH month IN ARRAY months LOOP
        partition := 'order_event_' || replace(month, '-', '_');
        CONTINUE WHEN to_regclass(format('public.%I', partition)) IS NULL;  -- dropped before
        EXECUTE format(
            'INSERT INTO pg_temp.kept
            SELECT event.event_id, event.occurred_at, sha256(convert_to(kept_row.said, ''UTF8''))
            FROM public.%I AS event
            JOIN (
                SELECT event_id::text AS event_id, ROW(
                    event_id, network_id, account, sequence, trade_id, ledger_index, transaction_hash,
                    transaction_index, occurred_at, market, side, last_qty, last_px, gave_asset, gave, got_asset,
                    got, liquidity_side, provenance
                )::text AS said
                FROM public.fill
                UNION ALL
                SELECT event_id::text, ROW(
                    event_id, detected_at, session_id, account, sequence, market, side, price, remaining,
                    removal_reason, action_taken, mid_price, distance_bps
                )::text
                FROM public.reconciler_anomaly_log
            ) AS kept_row ON kept_row.event_id = event.event_id::text',
            partition
        );
        EXECUTE format('DROP TABLE public.%I', partition);
        RETURN NEXT partition;
    END LOOP;
    FOR link.event_ids, link.occurred_at, link.payload_digests, content IN
        SELECT
            array_agg(event_id), array_agg(occurred_at), array_agg(row_digest),
            string_agg(uuid_send(event_id) || timestamptz_send(occurred_at) || row_digest, '')
        FROM (
            SELECT *, (row_number() OVER (ORDER BY event_id, occurred_at) - 1) / 10000 AS part
            FROM pg_temp.kept ORDER BY event_id, occurred_at
        ) AS numbered
        GROUP BY part ORDER BY part
    LOOP
        link.act := drop_months.act;
        PERFORM public.append_link(link, content || convert_to(link.act, 'UTF8'));
    END LOOP;
    IF content IS NULL THEN
        PERFORM public.append_act(drop_months.act);
    END IF;
    DROP TABLE pg_temp.kept;
END
$$
