-- The accounts that have an order.
SELECT DISTINCT account FROM dashboard.event WHERE sequence <> 0 ORDER BY account LIMIT 20
