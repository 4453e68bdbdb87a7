-- A table made by hand gets the types, the NOT NULLs and the key of one made by a migration, as far as its rows
-- allow it: no row is dropped and no value lost. What a row does not allow is left, with a warning.
DO $$
DECLARE
    wanted record;
BEGIN
    PERFORM set_config('timezone', 'UTC', true);  -- what a time without a zone is taken for
    FOR wanted IN
        SELECT settled.name, settled.type, settled.required, format_type(atttypid, atttypmod) AS found
        FROM pg_attribute
        JOIN (VALUES
            ('event_id', 'uuid', true), ('detected_at', 'timestamp with time zone', true),
            ('session_id', 'text', false), ('account', 'text', true), ('sequence', 'bigint', true),
            ('market', 'text', true), ('side', 'text', true), ('price', 'numeric', false),
            ('remaining', 'numeric', true), ('removal_reason', 'text', true), ('action_taken', 'text', true),
            ('mid_price', 'numeric', false), ('distance_bps', 'numeric', false)
        ) AS settled (name, type, required) ON attname = settled.name
        WHERE attrelid = 'public.reconciler_anomaly_log'::regclass
    LOOP
        BEGIN
            IF wanted.found <> wanted.type THEN
                -- by way of text: the shortest decimal of a float, where a cast would round it
                EXECUTE format(
                    'ALTER TABLE public.reconciler_anomaly_log ALTER %I TYPE %s USING %1$I::text::%2$s',
                    wanted.name, wanted.type
                );
            END IF;
            IF wanted.required THEN
                EXECUTE format('ALTER TABLE public.reconciler_anomaly_log ALTER %I SET NOT NULL', wanted.name);
            END IF;
        EXCEPTION
            WHEN data_exception OR not_null_violation THEN
                RAISE WARNING 'reconciler_anomaly_log.% stays %: %', wanted.name, wanted.found, SQLERRM;
        END;
    END LOOP;
    IF NOT EXISTS (
        SELECT FROM pg_constraint WHERE conrelid = 'public.reconciler_anomaly_log'::regclass AND contype = 'p'
    ) AND (
        SELECT attnotnull FROM pg_attribute
        WHERE attrelid = 'public.reconciler_anomaly_log'::regclass AND attname = 'event_id'
    ) THEN
        ALTER TABLE public.reconciler_anomaly_log
            ADD CONSTRAINT reconciler_anomaly_log_pkey PRIMARY KEY USING INDEX reconciler_anomaly_log_pkey;
    END IF;
END
$$
