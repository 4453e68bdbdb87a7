"""What a named operator does to the log, signed: dropping whole months, and going on after a lost tail.

An act is a signed note. Its first line says what it is; then come lines `name value`::

    fillproof retention            fillproof failover
    operator mia                   operator mia
    time 2026-11-29T18:00:00Z      time 2026-11-29T18:00:00Z
    keep 12                        lost 1234
    months 2025-10 2025-11         continues 1190 DIGEST
                                   reason the standby was promoted

The operator's name is the key's. A checkpoint's key signs no act, and an operator's no checkpoint.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from audit_log.checkpoint import read_time, written_time
from audit_log.errors import Refused
from audit_log.signed_note import SigningKey, VerifierKey, signed_text

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_POSITION = re.compile(r"0|[1-9][0-9]{0,17}")
_CONTINUES = re.compile(r"(0|[1-9][0-9]{0,17}) ([0-9a-f]{64})")
MONTHS_A_YEAR = 12


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Months whose events were dropped, as each had ended more than `keep` months before."""

    operator: str
    time: datetime
    keep: int
    """How many whole months before the month of `time` are kept."""
    months: tuple[str, ...]
    """`YYYY-MM`, in order."""

    @property
    def text(self) -> str:
        """What is signed."""
        return _text(
            "retention", self.operator, self.time, f"keep {self.keep}", f"months {' '.join(self.months)}"
        )

    def covers(self, moment: datetime) -> bool:
        """Whether an event of that moment was dropped."""
        return f"{moment.astimezone(UTC):%Y-%m}" in self.months


class Failover(msgspec.Struct, frozen=True, kw_only=True):
    """The chain goes on after `continues`; batches after it up to `lost` were lost with a database server."""

    operator: str
    time: datetime
    lost: int
    """The position of the newest checkpoint that the chain no longer contains."""
    continues: int
    """The last position that both have in common, as far as a checkpoint shows; 0: none."""
    digest: bytes
    """The batch's digest there; 32 zero bytes at 0."""
    reason: str

    @property
    def text(self) -> str:
        """What is signed."""
        lines = (
            f"lost {self.lost}",
            f"continues {self.continues} {self.digest.hex()}",
            f"reason {self.reason}",
        )
        return _text("failover", self.operator, self.time, *lines)

    def excuses(self, position: int, made: datetime | None) -> bool:
        """Whether a head or checkpoint (`made`: when, where that is known) is of the tail that was lost."""
        return self.continues < position <= self.lost and (made is None or made <= self.time)


Act = Retention | Failover


def sign_act(act: Act, key: SigningKey) -> str:
    """Return the signed note of an act.

    Raises:
        Refused: the key is another's, or the act could not be read back.

    """
    note = key.sign(act.text)
    if read_act(note, [key.verifier]) != act:
        raise Refused("expected an act that can be read back, found one with other content in its lines")
    return note


def read_act(note: str, keys: Iterable[VerifierKey]) -> Act:
    """Read an act that the operator whom it names has signed.

    Raises:
        Refused: it is none, none of the keys has signed it, or a month was not due.

    """
    text, key = signed_text(note, keys)
    kind, *lines = text.removesuffix("\n").split("\n")
    fields = dict(line.partition(" ")[::2] for line in lines)
    names = list(fields)
    if len(names) != len(lines) or fields.get("operator") != key.name:
        raise Refused(f"expected an act of {key.name}, whose key has signed it, found another's")
    if kind == "fillproof retention" and names == ["operator", "time", "keep", "months"]:
        return _retention(fields, key.name)
    if kind == "fillproof failover" and names == ["operator", "time", "lost", "continues", "reason"]:
        return _failover(fields, key.name)
    raise Refused(f"expected an act of retention or failover, found {kind!r} with {', '.join(names)}")


def due_before(moment: datetime, keep: int) -> str:
    """Return the first month, as YYYY-MM, that is still kept at that moment."""
    at = moment.astimezone(UTC)
    year, month = divmod(at.year * MONTHS_A_YEAR + at.month - 1 - keep, MONTHS_A_YEAR)
    return f"{year:04}-{month + 1:02}"


def _retention(fields: dict[str, str], operator: str) -> Retention:
    time, months = read_time(fields["time"]), tuple(fields["months"].split(" "))
    keep = _number(fields["keep"])
    if keep < 1:
        raise Refused(f"expected at least 1 month to be kept, found {keep}")
    if not all(map(_MONTH.fullmatch, months)) or list(months) != sorted(set(months)):
        raise Refused(f"expected months as 2025-10, each once and in order, found {' '.join(months)!r}")
    first_kept = due_before(time, keep)
    if early := [month for month in months if month >= first_kept]:
        raise Refused(f"expected months before {first_kept}, which were due, found {', '.join(early)}")
    return Retention(operator=operator, time=time, keep=keep, months=months)


def _failover(fields: dict[str, str], operator: str) -> Failover:
    match = _CONTINUES.fullmatch(fields["continues"])
    lost = _number(fields["lost"])
    if match is None or int(match[1]) >= lost or not fields["reason"].strip():
        raise Refused("expected a position and digest before the lost one, and a reason, found others")
    return Failover(
        operator=operator,
        time=read_time(fields["time"]),
        lost=lost,
        continues=int(match[1]),
        digest=bytes.fromhex(match[2]),
        reason=fields["reason"],
    )


def _number(written: str) -> int:
    if not _POSITION.fullmatch(written):
        raise Refused(f"expected a whole number, found {written!r}")
    return int(written)


def _text(kind: str, operator: str, time: datetime, *lines: str) -> str:
    return "\n".join((f"fillproof {kind}", f"operator {operator}", f"time {written_time(time)}", *lines, ""))
