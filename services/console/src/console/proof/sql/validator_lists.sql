-- The lists of validators that were in force.
SELECT manifest, blob, signature FROM public.validator_list
