CREATE TRIGGER keep_mended_letter BEFORE UPDATE OR DELETE OR TRUNCATE ON public.mended_letter
EXECUTE FUNCTION public.keep_mended_letter()
