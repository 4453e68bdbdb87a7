"""The session whose engine is a user of the bus in tests, and the engines that the bus knows."""

from replaying import recorded

from console.engine import engine_accounts

SESSION = recorded("grid_swept")
OTHERS = "rrrrrrrrrrrrrrrrrrrrrhoLvTp"
"""The account of another engine."""
ENGINES = f"engine:{'+'.join(engine_accounts(SESSION))},other:{OTHERS}"
