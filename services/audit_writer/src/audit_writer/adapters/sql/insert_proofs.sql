-- A batch of proofs in one statement, which is its own transaction. Says how many proofs were new.
-- $1: a JSON array of proof.ledger events, whose bytes are in Base64.
WITH proof AS MATERIALIZED (
    SELECT *
    FROM json_to_recordset($1::json) AS event (
        event_id uuid,
        network_id bigint,
        ledger_index bigint,
        ledger_hash text,
        occurred_at timestamptz,
        confirmed boolean,
        headers json,
        validations json,
        manifests json,
        lists json,
        transactions json
    )
), new_order AS (
    INSERT INTO proven_order (account, sequence, network_id, transaction_hash, ledger_hash, occurred_at)
    SELECT touched.account, touched.sequence, network_id, changed.transaction_hash, ledger_hash, occurred_at
    FROM proof
    CROSS JOIN json_to_recordset(transactions) AS changed (transaction_hash text, orders json)
    CROSS JOIN json_to_recordset(changed.orders) AS touched (account text, sequence bigint)
    ON CONFLICT DO NOTHING
), new_transaction AS (
    INSERT INTO proven_transaction (
        transaction_hash, ledger_hash, ledger_index, occurred_at, transaction, metadata, path
    )
    SELECT
        changed.transaction_hash, ledger_hash, ledger_index, occurred_at,
        decode(changed.transaction, 'base64'), decode(changed.metadata, 'base64'), decode(changed.path, 'base64')
    FROM proof
    CROSS JOIN json_to_recordset(transactions) AS changed (
        transaction_hash text, transaction text, metadata text, path text
    )
    ON CONFLICT DO NOTHING
), new_list AS (
    INSERT INTO validator_list (signature, manifest, blob, first_used_at)
    SELECT upper(published.signature), published.manifest, published.blob, occurred_at
    FROM proof
    CROSS JOIN json_to_recordset(coalesce(lists, '[]')) AS published (signature text, manifest text, blob text)
    ON CONFLICT DO NOTHING
), new_proof AS (
    INSERT INTO ledger_proof (
        event_id, network_id, ledger_index, ledger_hash, occurred_at, confirmed, headers, validations, manifests
    )
    SELECT
        event_id, network_id, ledger_index, ledger_hash, occurred_at, confirmed,
        ARRAY(SELECT decode(value, 'base64') FROM json_array_elements_text(headers)),
        ARRAY(SELECT decode(value, 'base64') FROM json_array_elements_text(validations)),
        ARRAY(SELECT decode(value, 'base64') FROM json_array_elements_text(coalesce(manifests, '[]')))
    FROM proof
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM new_proof
