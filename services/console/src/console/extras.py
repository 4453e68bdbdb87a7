"""Extras of the package that some commands take: what is missing is said in one line."""

import importlib.util
from typing import Literal

from console.errors import BadOption

Extra = Literal["database", "local"]
_MODULES: dict[Extra, tuple[str, ...]] = {"database": ("asyncpg",), "local": ("asyncpg", "local_stack")}


def require_extra(extra: Extra, *, command: str) -> None:
    """Check that what `fillproof-console[extra]` brings is installed.

    Raises:
        BadOption: it is not; the text says what to install.

    """
    missing = [module for module in _MODULES[extra] if importlib.util.find_spec(module) is None]
    if missing:
        raise BadOption(
            f"expected the extra `{extra}`, which `{command}` takes, found no {' and no '.join(missing)}: "
            f"install fillproof-console[{extra}]"
        )
