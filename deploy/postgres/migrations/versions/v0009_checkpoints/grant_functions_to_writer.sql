GRANT EXECUTE ON FUNCTION public.end_reader_sessions() TO audit_writer
