-- The time of finding is the server's, so no right to write it.
GRANT INSERT (
    finding_id, book_digest, kind, account, sequence, transaction_hash, market, occurred_at, cause, worth, told
) ON public.book_finding TO fillproof_operator
