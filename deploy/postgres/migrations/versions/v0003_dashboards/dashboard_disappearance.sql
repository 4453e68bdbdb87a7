-- Every order that an engine would miss, not having ended it itself: what a guess would have been made about.
-- `distance_bps` is how far its price was from the mid (positive: away from the market), `age_seconds` the
-- time on the book by the ledgers' clocks; null where it is not known.
CREATE VIEW dashboard.disappearance AS
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
    told.price,
    told.quantity,
    told.filled_qty,
    told.remaining,
    coalesce(told.removal_reason, 'UNKNOWN') AS cause,
    told.removed_by,
    told.sent_by,
    told.resolution,
    coalesce(told.anomaly, false) AS anomaly,
    told.action_taken,
    told.evidence,
    told.unfunded_since,
    (told.market_context ->> 'mid_price')::numeric AS mid_price,
    (told.market_context ->> 'distance_bps')::numeric AS distance_bps,
    extract(EPOCH FROM gone.occurred_at - placed.occurred_at) AS age_seconds
FROM public.order_event AS gone
CROSS JOIN LATERAL json_to_record(gone.payload) AS told (
    market text,
    side text,
    price numeric,
    quantity numeric,
    filled_qty numeric,
    remaining numeric,
    removal_reason text,
    removed_by text,
    sent_by text,
    resolution text,
    anomaly boolean,
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
