-- What somebody with the owner's rights may do to the tables: each under its name, with what must be found
-- (what, table, batch). Of the second batch: :event, :neighbour, :fill, :anomaly; of the first: :stranger,
-- :stranger_fill.

-- name: a payload is changed
-- finds: changed order_event 2
UPDATE order_event SET payload = replace(payload::text, '"SELL"', '"BUY"')::json WHERE event_id = :event;

-- name: a payload becomes what no column can hold
-- finds: changed order_event 2
UPDATE order_event SET payload = '{"sequence": "x", "event_id": 3}' WHERE event_id = :fill;

-- name: a column is changed
-- finds: changed order_event 2
UPDATE order_event SET status = 'FILLED' WHERE event_id = :event;

-- name: a version is changed
-- finds: changed order_event 2
UPDATE order_event SET version = 2 WHERE event_id = :event;

-- name: an event is moved to another month
-- finds: changed order_event 2
UPDATE order_event SET occurred_at = occurred_at - interval '70 days' WHERE event_id = :event;

-- name: an event is dropped
-- finds: missing order_event 2
DELETE FROM order_event WHERE event_id = :event;

-- name: an event is renamed
-- finds: missing order_event 2
-- finds: inserted order_event -
UPDATE order_event SET event_id = gen_random_uuid() WHERE event_id = :event;

-- name: an event is inserted past the chain
-- finds: inserted order_event -
INSERT INTO order_event_default SELECT gen_random_uuid(), event_type, version, network_id, account,
    sequence, client_order_id, session_id, ledger_index, transaction_hash, transaction_index, status,
    '2001-01-01', payload FROM order_event WHERE event_id = :event;

-- name: two payloads of a batch are swapped
-- finds: swapped order_event 2
-- finds: swapped order_event 2
WITH both_rows AS (SELECT event_id, payload FROM order_event
WHERE event_id IN (:event, :neighbour))
UPDATE order_event AS event SET payload = other.payload FROM both_rows AS other
WHERE event.event_id IN (:event, :neighbour) AND other.event_id <> event.event_id;

-- name: two payloads of different batches are swapped
-- finds: swapped order_event 1
-- finds: swapped order_event 2
WITH both_rows AS (SELECT event_id, payload FROM order_event
WHERE event_id IN (:event, :stranger))
UPDATE order_event AS event SET payload = other.payload FROM both_rows AS other
WHERE event.event_id IN (:event, :stranger)
AND other.event_id <> event.event_id;

-- name: a fill is changed
-- finds: changed fill -
UPDATE fill SET gave = gave + 1 WHERE event_id = :fill;

-- name: a fill is dropped
-- finds: missing fill -
DELETE FROM fill WHERE event_id = :fill;

-- name: a fill is inserted
-- finds: inserted fill -
INSERT INTO fill SELECT gen_random_uuid(), network_id, account, sequence, trade_id, ledger_index,
    transaction_hash, transaction_index, occurred_at, market, side, last_qty, last_px, gave_asset, gave,
    got_asset, got, liquidity_side, provenance FROM fill WHERE event_id = :fill;

-- name: two fills are swapped
-- finds: changed fill -
-- finds: changed fill -
UPDATE fill SET event_id = gen_random_uuid() WHERE event_id = :fill;
UPDATE fill SET event_id = :fill WHERE event_id = :stranger_fill;
UPDATE fill SET event_id = :stranger_fill
WHERE event_id NOT IN (SELECT event_id FROM order_event);

-- name: an anomaly is changed
-- finds: changed reconciler_anomaly_log -
UPDATE reconciler_anomaly_log SET action_taken = 'none' WHERE event_id = :anomaly;

-- name: an anomaly is dropped
-- finds: missing reconciler_anomaly_log -
DELETE FROM reconciler_anomaly_log WHERE event_id = :anomaly;

-- name: an anomaly is inserted
-- finds: inserted reconciler_anomaly_log -
INSERT INTO reconciler_anomaly_log (event_id, detected_at, account, sequence, market, side, remaining,
    removal_reason, action_taken) VALUES (gen_random_uuid(), now(), 'rX', 1, 'm', 'SELL', 1, 'r', 'none');

-- name: a batch goes with its rows
-- finds: missing batch_digest 2
DELETE FROM order_event WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE position = 2);
DELETE FROM fill WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE position = 2);
DELETE FROM reconciler_anomaly_log WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE
    position = 2);
DELETE FROM batch_digest WHERE position = 2;

-- name: two batches are swapped
-- finds: changed batch_digest 1
-- finds: changed batch_digest 1
-- finds: changed batch_digest 2
-- finds: changed batch_digest 2
-- finds: changed batch_digest 3
UPDATE batch_digest SET position = 9 WHERE position = 1;
UPDATE batch_digest SET position = 1 WHERE position = 2;
UPDATE batch_digest SET position = 2 WHERE position = 9;

-- name: a batch's list forgets an event
-- finds: changed batch_digest 2
-- finds: inserted order_event -
UPDATE batch_digest SET event_ids = event_ids[2:], occurred_at = occurred_at[2:], payload_digests =
    payload_digests[2:] WHERE position = 2;

-- name: lists of different lengths
-- finds: changed batch_digest 3
UPDATE batch_digest SET payload_digests = payload_digests || payload_digests WHERE position = 3;

-- name: the last batch is cut off
-- finds: missing chain_head 2
DELETE FROM order_event WHERE event_id IN (SELECT unnest(event_ids) FROM batch_digest WHERE position = 3);
DELETE FROM fill WHERE event_id NOT IN (SELECT event_id FROM order_event);
DELETE FROM reconciler_anomaly_log WHERE event_id NOT IN (SELECT event_id FROM order_event);
DELETE FROM batch_digest WHERE position = 3;
