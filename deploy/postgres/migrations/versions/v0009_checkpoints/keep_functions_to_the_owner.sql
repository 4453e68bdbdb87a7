-- PostgreSQL lets everybody call a new function.
REVOKE EXECUTE ON FUNCTION
    public.append_act(text), public.due_months(integer), public.drop_months(text[], text),
    public.end_reader_sessions()
FROM PUBLIC
