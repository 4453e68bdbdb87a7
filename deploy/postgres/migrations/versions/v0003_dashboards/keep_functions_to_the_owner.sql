-- PostgreSQL lets everybody call a new function.
REVOKE EXECUTE ON FUNCTION public.keep_acknowledgement() FROM PUBLIC
