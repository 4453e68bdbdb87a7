DROP FUNCTION public.drop_partitions(integer)
