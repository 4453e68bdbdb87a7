-- Messages that were lost before they were stored; `fillproof refill` gives the store what they told.
CREATE VIEW dashboard.missing_sequence AS
SELECT stream, identity, first_sequence, last_sequence, first_ledger, last_ledger FROM public.missing_sequence
