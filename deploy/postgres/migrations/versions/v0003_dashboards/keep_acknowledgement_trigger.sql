CREATE TRIGGER keep_acknowledgement BEFORE UPDATE OR DELETE OR TRUNCATE ON public.anomaly_acknowledgement
EXECUTE FUNCTION public.keep_acknowledgement()
