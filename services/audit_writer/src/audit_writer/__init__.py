"""Writes every order event to PostgreSQL, once: bus -> committed -> acknowledged.

`service.py` decides what becomes of a batch, `adapters/` has NATS and PostgreSQL, `main.py` wires them.
"""
