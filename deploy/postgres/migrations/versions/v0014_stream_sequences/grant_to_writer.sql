DO $$
BEGIN
    GRANT INSERT ON public.stream_range TO audit_writer;
    GRANT EXECUTE ON FUNCTION public.watch_stream(text, timestamptz, bigint, bigint) TO audit_writer;
END
$$
