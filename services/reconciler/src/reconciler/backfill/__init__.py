"""Ledgers that come late: history gaps, answers that were missing, ranges that are rebuilt."""
