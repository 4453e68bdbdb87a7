-- Whoever reads a view calls its functions; `agrees` is for `fillproof verify`, which is the owner.
DO $$
BEGIN
    REVOKE EXECUTE ON FUNCTION
        public.is_readable(json), public.readable(json), public.number(text), public.ledger_number(text),
        public.truth(text), public.agrees(public.order_event)
    FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION
        public.is_readable(json), public.readable(json), public.number(text), public.ledger_number(text),
        public.truth(text)
    TO grafana_reader, fillproof_operator;
END
$$
