-- PostgreSQL lets everybody call a new function.
REVOKE EXECUTE ON FUNCTION public.watch_stream(text, timestamptz, bigint, bigint) FROM PUBLIC
