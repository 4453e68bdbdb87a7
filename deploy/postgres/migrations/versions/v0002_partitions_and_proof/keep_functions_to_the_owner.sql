-- PostgreSQL lets everybody call a new function.
REVOKE EXECUTE ON FUNCTION
    public.claim_event_name(), public.append_link(public.batch_digest, bytea), public.chain_batch(),
    public.ensure_partitions(integer), public.drop_partitions(integer)
FROM PUBLIC
