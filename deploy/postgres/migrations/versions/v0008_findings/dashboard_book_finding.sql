-- The findings, with one sentence each. `worth` is in the market's quote asset.
CREATE VIEW dashboard.book_finding AS
SELECT
    finding_id, found_at, book_digest, kind, account, sequence, transaction_hash, market, occurred_at, cause, worth,
    told ->> 'text' AS text
FROM public.book_finding
