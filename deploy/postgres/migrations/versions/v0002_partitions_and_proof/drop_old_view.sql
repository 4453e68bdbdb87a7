DROP VIEW dashboard.order_state
