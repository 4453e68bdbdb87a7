-- Some 2,000 pages at a time: each part becomes a batch of the chain.
DO $$
DECLARE
    pages bigint := pg_relation_size('public.order_event_unpartitioned')
        / current_setting('block_size')::bigint;
    step CONSTANT bigint := 2000;
BEGIN
    FOR page IN 0 .. pages BY step LOOP
        INSERT INTO public.order_event
        SELECT
            event_id, event_type, version, network_id, account, sequence, client_order_id, session_id,
            ledger_index, transaction_hash, transaction_index, status, occurred_at, payload::json
        FROM public.order_event_unpartitioned
        WHERE ctid >= format('(%s,0)', page)::tid AND ctid < format('(%s,0)', page + step)::tid;
    END LOOP;
    PERFORM public.ensure_partitions(1);
END
$$
