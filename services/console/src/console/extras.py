"""Extras of the package that some commands need: what is missing is said in one line."""

import importlib.util
from typing import Literal

from console.ending import refuse

Extra = Literal["database", "local"]
_MODULES: dict[Extra, tuple[str, ...]] = {"database": ("asyncpg",), "local": ("asyncpg", "local_stack")}


def require_extra(extra: Extra, *, command: str) -> None:
    """End the command where `fillproof-console[extra]` is not installed, and say so."""
    missing = [module for module in _MODULES[extra] if importlib.util.find_spec(module) is None]
    if missing:
        refuse(
            f"expected the extra `{extra}`, which `{command}` needs, found no {' and no '.join(missing)}: "
            f"install fillproof-console[{extra}]"
        )
