-- $4: which messages of which stream a batch came in.
, new_range AS (
    INSERT INTO stream_range (stream, identity, sequences, first_ledger, last_ledger)
    SELECT stream, identity, sequences, first_ledger, last_ledger
    FROM json_to_recordset($4::json) AS taken (
        stream text,
        identity timestamptz,
        sequences int8multirange,
        first_ledger bigint,
        last_ledger bigint
    )
)
