-- PostgreSQL lets everybody call a new function.
REVOKE EXECUTE ON FUNCTION public.keep_mended_letter() FROM PUBLIC
