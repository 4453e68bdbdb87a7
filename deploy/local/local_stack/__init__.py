"""Fillproof."""
