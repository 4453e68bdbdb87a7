"""What a run left behind, and in what it differs from an undisturbed one."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from rich.console import Console

from console.proof.chain import Trust
from console.verify import verify

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from chaos.bus import Bus

    from local_stack import LocalStack

Json = dict[str, Any]
TABLES = ("order_event", "fill", "reconciler_anomaly_log")
SHOWN = 3
"""Examples of a difference."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """All that must be the same, whatever happened on the way."""

    events: dict[str, bytes]
    """The payloads on the bus, by event id, without the watermarks."""
    watermarks: dict[str, bytes]
    """The payloads of `reconciler.confirmed`, by event id: which come depends on when a server confirmed."""
    told_twice: list[str]
    state: dict[str, Json]
    """The orders and cursors, by key of the state bucket."""

    def of(self, networks: Collection[int]) -> Outcome:
        """Return the part of it that is about these networks."""
        return Outcome(
            events={name: event for name, event in self.events.items() if _network(event) in networks},
            watermarks={name: one for name, one in self.watermarks.items() if _network(one) in networks},
            told_twice=self.told_twice,
            state={key: value for key, value in self.state.items() if int(key.partition(".")[0]) in networks},
        )


def without_lies(found: Outcome, undisturbed: Outcome) -> Outcome:
    """Return what a run leaves that a server has lied to, for a reader who heeds each `order.corrected`.

    What is withdrawn never was, and what is amended is as the correction says: as it is undisturbed. The
    corrections themselves are no news then. Anything else that is told wrongly stays, and is a difference.
    """
    read = {name: _comparable(event) for name, event in found.events.items()}
    corrections = {
        name: event
        for name, event in read.items()
        if event["event_type"] == "order.corrected" and name not in undisturbed.events
    }
    events = dict(found.events)
    for name, correction in corrections.items():
        wrong, expected = correction["corrects"], undisturbed.events.get(correction["corrects"])
        if correction["correction"] == "withdrawn" and expected is None:
            events.pop(wrong, None)
            del events[name]
        elif correction["correction"] == "amended" and expected is not None:
            events[wrong] = expected
            del events[name]
    return msgspec.structs.replace(found, events=events)


def outcome(bus: Bus) -> Outcome:
    """Read what the bus holds at the end of a run."""
    payloads = [(msgspec.json.decode(payload)["event_id"], payload) for payload in bus.events()]
    times = Counter(name for name, _ in payloads)
    watermarks = {name: payload for name, payload in payloads if _is_watermark(payload)}
    return Outcome(
        events={name: payload for name, payload in payloads if name not in watermarks},
        watermarks=watermarks,
        told_twice=[name for name, count in times.items() if count > 1],
        state={key: _lasting(value) for key, value in bus.state().items()},
    )


def differences(found: Outcome, undisturbed: Outcome) -> list[str]:
    """Say in what the two differ; nothing where they are the same."""
    told = [f"{len(found.told_twice)} events stand twice on the bus, as {found.told_twice[:SHOWN]}"] * bool(
        found.told_twice
    )
    expected_events = {name: _comparable(event) for name, event in undisturbed.events.items()}
    found_events = {name: _comparable(event) for name, event in found.events.items()}
    for name, event in found_events.items():
        expected = expected_events.get(name, {})
        if _lacks_the_market(event) or _lacks_the_market(expected):
            event["market_context"] = expected.get("market_context")
    return [
        *told,
        *wrongly_certain(found),
        *_compared("event", found_events, expected_events),
        *_compared("state", found.state, undisturbed.state),
    ]


def differences_in_tables(stack: LocalStack, undisturbed: Outcome, on_the_bus: Outcome) -> list[str]:
    """Say where PostgreSQL does not hold each of the bus's events once, and what `verify` finds."""
    expected: dict[str, list[str]] = {table: [] for table in TABLES}
    expected["order_event"] += on_the_bus.watermarks
    for name, payload in undisturbed.events.items():
        event = msgspec.json.decode(payload)
        expected["order_event"].append(name)
        if event["event_type"] == "order.filled":
            expected["fill"].append(name)
        if event["event_type"] == "order.disappeared" and event["anomaly"]:
            expected["reconciler_anomaly_log"].append(name)
    rows, payloads = asyncio.run(_rows(stack.postgres_dsn("owner")))
    told = [
        f"{table}: expected {len(expected[table])} rows, each once, found {len(rows[table])}, "
        f"{len(set(rows[table]) ^ set(expected[table]))} of them missing or unexpected"
        for table in TABLES
        if sorted(rows[table]) != sorted(expected[table])
    ]
    if payloads != on_the_bus.events | on_the_bus.watermarks:
        told.append("order_event: expected the payloads as they stand on the bus, found others")
    report = verify(stack.postgres_dsn("owner"), Trust(), None, 0, Console(quiet=True))
    return told + [f"fillproof verify: {one.what} in {one.table}: {one.detail}" for one in report.findings]


def stored_events(database: str) -> dict[str, bytes]:
    """Return the payloads that PostgreSQL holds, by event id; `database`: the owner's address."""
    return asyncio.run(_rows(database))[1]


async def _rows(dsn: str) -> tuple[dict[str, list[str]], dict[str, bytes]]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = {
            table: [str(row[0]) for row in await connection.fetch(f"SELECT event_id FROM {table}")]  # noqa: S608 - ours
            for table in TABLES
        }
        stored = await connection.fetch("SELECT event_id, payload::text FROM order_event")
    finally:
        await connection.close()
    return rows, {str(row[0]): row[1].encode() for row in stored}


def _compared(what: str, found: dict[str, Json], expected: dict[str, Json]) -> Iterator[str]:
    """Yield how many are missing, too many and different, with some of them."""
    sets = {
        "missing": sorted(expected.keys() - found.keys()),
        "not expected": sorted(found.keys() - expected.keys()),
        "different": sorted(key for key in expected.keys() & found.keys() if expected[key] != found[key]),
    }
    for how, keys in sets.items():
        if keys:
            some = [f"{key} (expected {expected.get(key)}, found {found.get(key)})" for key in keys[:SHOWN]]
            yield f"{what}: {len(keys)} {how}: {'; '.join(some)}"


def wrongly_certain(found: Outcome) -> Iterator[str]:
    """Yield the fills that a watermark covers and that were withdrawn nevertheless."""
    events = {name: msgspec.json.decode(payload) for name, payload in found.events.items()}
    watermarks = [msgspec.json.decode(payload) for payload in found.watermarks.values()]
    for one in events.values():
        if one.get("correction") == "withdrawn":
            fill = events.get(one["corrects"], {})
            is_fill = fill.get("event_type") == "order.filled" and fill["provenance"] != "presumed"
            if is_fill and any(_covers(watermark, fill) for watermark in watermarks):
                yield f"event {one['corrects']}: a fill that a watermark called certain was withdrawn"


def _covers(watermark: Json, event: Json) -> bool:
    same = all(watermark[name] == event[name] for name in ("network_id", "account"))
    return same and watermark["first_ledger"] <= (event["ledger_index"] or 0) <= watermark["ledger_index"]


def _is_watermark(payload: bytes) -> bool:
    return bool(msgspec.json.decode(payload)["event_type"] == "reconciler.confirmed")


def _comparable(payload: bytes) -> Json:
    event: Json = msgspec.json.decode(payload)
    return event


def _lacks_the_market(event: Json) -> bool:
    """Whether the market could not be read, in this run: it is described at best, and says why where not."""
    context = event.get("market_context") or {}
    return bool(context.get("reason")) and context.get("mid_price") is None


def _lasting(value: Json) -> Json:
    """Leave out what depends on when somebody looked: at the engine's words, its stream, and the balances."""
    lasting = {name: part for name, part in value.items() if name not in {"engine_sequence", "engine_mark"}}
    if "standing" in lasting:
        lasting["standing"] = {name: part for name, part in lasting["standing"].items() if name != "balances"}
    return lasting


def _network(payload: bytes) -> int:
    network: int = msgspec.json.decode(payload)["network_id"]
    return network
