-- Where each order stands: one row an order, its last event in the order of `ORDER BY` below.
--
-- 1. An end that a transaction proves beats one that none does (an Expiration that passed, an order LOST),
--    whenever either was learned; and an order that has ended stays ended, whatever is backfilled later.
--    A correction is no transaction's, but names the one that ended the order: it is as good as that.
--    Of two ends without a transaction the explained one (EXPIRED) beats LOST.
-- 2. Then the ledger's own order: ledger, transaction. A correction holds at the end of its ledger.
-- 3. The events of one transaction agree on the status; the one that says most of it comes first: a
--    disappearance (anomaly, action) before the other ends, an acceptance before a fill.
-- 4. The rest only makes the order total, so that the same events always give the same row.
CREATE OR REPLACE VIEW dashboard.order_state AS
SELECT DISTINCT ON (network_id, account, sequence)
    network_id,
    account,
    sequence,
    client_order_id,
    session_id,
    public.truth(told.external) AS external,
    told.market,
    told.side,
    public.number(told.price) AS price,
    public.number(told.quantity) AS quantity,
    status,
    public.number(told.filled_qty) AS filled_qty,
    public.number(told.leaves_qty) AS leaves_qty,
    public.number(told.avg_px) AS avg_px,
    told.removal_reason,
    told.removed_by,
    told.resolution,
    coalesce(public.truth(told.anomaly), false) AS anomaly,
    told.action_taken,
    ledger_index,
    transaction_hash,
    transaction_index,
    occurred_at,
    event_type,
    event_id
FROM public.order_event
CROSS JOIN LATERAL json_to_record(public.readable(payload)) AS told (
    external text,
    market text,
    side text,
    price text,
    quantity text,
    filled_qty text,
    leaves_qty text,
    avg_px text,
    removal_reason text,
    removed_by text,
    resolution text,
    anomaly text,
    action_taken text
)
WHERE sequence <> 0  -- what is about an account is about no order
ORDER BY
    network_id,
    account,
    sequence,
    CASE
        WHEN status NOT IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'REMOVED', 'LOST') THEN 4
        WHEN transaction_hash IS NOT NULL OR told.removed_by IS NOT NULL THEN 1
        WHEN status <> 'LOST' THEN 2
        ELSE 3
    END,
    ledger_index DESC NULLS LAST,
    (event_type = 'order.corrected') DESC,
    transaction_index DESC NULLS LAST,
    CASE event_type
        WHEN 'order.disappeared' THEN 1
        WHEN 'order.accepted' THEN 2
        WHEN 'order.filled' THEN 4
        ELSE 3
    END,
    occurred_at DESC,
    event_id
