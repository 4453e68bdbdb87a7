"""What Grafana makes of a query before PostgreSQL sees it: first the variables, then the macros."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

VARIABLE = re.compile(r"\$\{(\w+):sqlstring\}")
MACRO = re.compile(r"\$(__\w+)\(([^)]*)\)")
"""As Grafana's: an argument ends at the first closing bracket."""
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class View(NamedTuple):
    """What a person has chosen on the dashboard; nothing chosen is `All`."""

    start: datetime
    end: datetime
    accounts: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    anomaly: str = ""
    """The event_id in the text box."""


def expand(query: str, view: View, *, interval: str = "1m") -> str:
    """Return the statement that PostgreSQL is sent."""
    written_for = {
        "account": _choice(view.accounts),
        "session": _choice(view.sessions),
        "anomaly": _quoted(view.anomaly),
    }
    written = VARIABLE.sub(lambda match: written_for[match[1]], query)
    return MACRO.sub(lambda match: _macro(match[1], match[2], view), written.replace("$__interval", interval))


def _choice(values: tuple[str, ...]) -> str:
    # the variables' own word for All is inserted as it stands
    return ",".join(map(_quoted, values)) or "'*'"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _macro(name: str, arguments: str, view: View) -> str:
    column, *more = (argument.strip() for argument in arguments.split(","))
    if name == "__timeFilter":
        return f"{column} BETWEEN '{view.start.isoformat()}' AND '{view.end.isoformat()}'"
    if name == "__timeGroupAlias":
        size = more[0].strip("'")
        step = int(size[:-1]) * SECONDS[size[-1]]
        return f'floor(extract(epoch from {column})/{step})*{step} AS "time"'
    raise ValueError(f"expected a macro that is used here, found ${name}")
