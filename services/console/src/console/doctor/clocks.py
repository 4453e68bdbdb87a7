"""The clock of another machine, held against this machine's."""

from datetime import UTC, datetime

from console.doctor.findings import Finding, note, well

_CLOCK_SECONDS = 10.0


def clock(part: str, now: datetime) -> Finding:
    """Judge the clock of a part, by which it is `now`."""
    ahead = (now - datetime.now(UTC)).total_seconds()
    found = f"its clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    if abs(ahead) > _CLOCK_SECONDS:
        return note(part, found, "set both clocks (NTP)")
    return well(part, found)
