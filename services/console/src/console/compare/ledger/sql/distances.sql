-- How far from the market orders were that an engine would miss, where the reconciler could read the market.
SELECT account, sequence, distance_bps
FROM dashboard.anomaly
WHERE account = ANY($1::text[]) AND distance_bps IS NOT NULL
