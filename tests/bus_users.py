"""Engines as users of the bus in tests: the session of one, and the account of another."""

from replaying import recorded

from console.engine import engine_accounts

SESSION = recorded("grid_swept")
OTHERS = "rrrrrrrrrrrrrrrrrrrrrhoLvTp"
"""The account of another engine."""
ENGINES = f"engine:{'+'.join(engine_accounts(SESSION))},other:{OTHERS}"
