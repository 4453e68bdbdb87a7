"""What the doctor finds of a part, and what to do about it."""

from enum import StrEnum

import msgspec

NEARLY_FULL = 0.8
"""The part of a limit from which on its store is said to be full soon."""


class Health(StrEnum):
    """How a part is."""

    WELL = "ok"
    NOTE = "note"
    """It works, and somebody should know of it."""
    ILL = "FAIL"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one part."""

    part: str
    health: Health
    found: str
    advice: str = ""
    """What to do; empty where it is well."""


def well(part: str, found: str) -> Finding:
    """Return that the part works."""
    return Finding(part=part, health=Health.WELL, found=found)


def note(part: str, found: str, advice: str) -> Finding:
    """Return that the part works, and what could be better."""
    return Finding(part=part, health=Health.NOTE, found=found, advice=advice)


def ill(part: str, found: str, advice: str) -> Finding:
    """Return that the part does not work, and what to do."""
    return Finding(part=part, health=Health.ILL, found=found, advice=advice)
