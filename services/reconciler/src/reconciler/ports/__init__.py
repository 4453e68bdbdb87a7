"""Ports: what the reconciler needs from the bus, the market and the operator."""
