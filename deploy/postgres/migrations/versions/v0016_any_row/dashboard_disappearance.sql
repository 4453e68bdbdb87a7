-- Every order that an engine would miss, not having ended it itself: what a guess would have been made about.
-- `distance_bps` is how far its price was from the mid (positive: away from the market), `age_seconds` the
-- time on the book by the ledgers' clocks; null where it is not known.
CREATE OR REPLACE VIEW dashboard.disappearance AS
SELECT
    gone.event_id,
    gone.network_id,
    gone.account,
    gone.sequence,
    gone.client_order_id,
    gone.session_id,
    gone.status,
    gone.ledger_index,
    gone.occurred_at,
    told.market,
    told.side,
    public.number(told.price) AS price,
    public.number(told.quantity) AS quantity,
    public.number(told.filled_qty) AS filled_qty,
    public.number(told.remaining) AS remaining,
    coalesce(told.removal_reason, 'UNKNOWN') AS cause,
    told.removed_by,
    told.sent_by,
    told.resolution,
    coalesce(public.truth(told.anomaly), false) AS anomaly,
    told.action_taken,
    told.evidence,
    told.unfunded_since,
    public.number(told.market_context ->> 'mid_price') AS mid_price,
    public.number(told.market_context ->> 'distance_bps') AS distance_bps,
    CASE
        WHEN
            gone.occurred_at BETWEEN '2000-01-01 00:00:00Z' AND '9999-12-31 00:00:00Z'
            AND placed.occurred_at BETWEEN '2000-01-01 00:00:00Z' AND '9999-12-31 00:00:00Z'
            THEN extract(EPOCH FROM gone.occurred_at - placed.occurred_at)
    END AS age_seconds
FROM public.order_event AS gone
CROSS JOIN LATERAL json_to_record(public.readable(gone.payload)) AS told (
    market text,
    side text,
    price text,
    quantity text,
    filled_qty text,
    remaining text,
    removal_reason text,
    removed_by text,
    sent_by text,
    resolution text,
    anomaly text,
    action_taken text,
    evidence text,
    unfunded_since text,
    market_context json
)
LEFT JOIN LATERAL (
    SELECT min(accepted.occurred_at) AS occurred_at
    FROM public.order_event AS accepted
    WHERE
        accepted.network_id = gone.network_id
        AND accepted.account = gone.account
        AND accepted.sequence = gone.sequence
        AND accepted.event_type = 'order.accepted'
) AS placed ON true
WHERE gone.event_type = 'order.disappeared'
