"""Backfill: history gaps, late answers about removals, and ranges of ledgers that are rebuilt."""
