"""The watermark: every event up to it is confirmed, and no unconfirmed event is ever below it."""

from collections.abc import Sequence

import msgspec
from replaying import recorded
from sample_events import sample
from several_servers import World, before_the_fill

from ledger_client import InvalidRequest
from offer_lifecycle import AccountRecord, Header, LedgerFacts, Reserves
from order_events import OrderEvent, OrderFilled, OrdersEvent, ReconcilerConfirmed
from reconciler.following.confirmation import ConfirmationRule
from reconciler.following.confirmed_reading import ConfirmedLedger
from reconciler.following.watermark import LEDGERS_BETWEEN, Watermark

ACCOUNT = "rPCLzUmkstqY8GTYhVW4LUVxr1ic25J3GX"
AT_ONCE = ConfirmationRule(seconds=0)


def watermarks(world: World) -> list[tuple[int, int | None]]:
    """Return the ledgers that each covers, both ends included."""
    found = [one for one in world.memory.stream if isinstance(one, ReconcilerConfirmed)]
    return [(one.first_ledger, one.ledger_index) for one in found]


def told(world: World) -> set[int | None]:
    return {one.ledger_index for one in world.memory.stream if isinstance(one, OrderEvent)}


async def close(world: World, *servers: int) -> int:
    """Close a ledger on these servers (all, if none is named), follow it, and return its index."""
    world.close_ledger(*servers)
    assert await world.advance() is None
    return world.cursor


async def test_it_follows_the_fill_of_a_ledger_that_a_second_server_names_in_the_same_commit() -> None:
    session = recorded("full_fill")
    world = await before_the_fill(session, rule=AT_ONCE)
    filled_at = await close(world)
    *_, fill, watermark = world.memory.stream
    assert isinstance(fill, OrderFilled)
    assert isinstance(watermark, ReconcilerConfirmed)
    assert watermark.ledger_index == fill.ledger_index == filled_at
    assert watermark.ledger_hash == world.nodes[0].node.chain.hash_of(world.nodes[0].node.chain.validated)
    assert watermark.confirmed_by == ("node://0", "node://1")
    assert watermark.account == fill.account
    covered = {one for low, high in watermarks(world) for one in range(low, (high or 0) + 1)}
    adopted_at = session.ledgers[0].ledger_index
    assert covered == set(range(adopted_at + 1, filled_at + 1))


async def test_it_leaves_out_a_fill_that_nobody_has_confirmed_and_no_later_one_covers_it() -> None:
    world = await before_the_fill(recorded("cancel_race_same_ledger"), rule=AT_ONCE)
    unconfirmed = await close(world, 0)
    assert unconfirmed in told(world)
    world.close_ledger(1)
    while world.nodes[0].node.chain.validated.ledger_index < world.nodes[0].node.chain.last_index:
        await close(world)
    covering = [low for low, high in watermarks(world) if (high or 0) > unconfirmed]
    assert covering
    assert min(covering) > unconfirmed
    assert all(not low <= unconfirmed <= (high or 0) for low, high in watermarks(world))


async def test_what_a_server_without_whole_ledgers_has_told_is_not_called_certain() -> None:
    world = await before_the_fill(recorded("full_fill"), rule=AT_ONCE)
    before = watermarks(world)
    ask = world.nodes[0].request

    async def no_blobs(method: str, /, **params: object) -> msgspec.Raw:
        if params.get("binary"):
            raise InvalidRequest("node://0", "no whole ledgers")
        return await ask(method, **params)

    world.nodes[0].request = no_blobs  # type: ignore[method-assign]
    filled_at = await close(world)
    assert world.metric("confirmed_ledger") == filled_at
    assert filled_at in told(world)
    assert watermarks(world) == before


async def test_one_server_alone_moves_it_never() -> None:
    world = await before_the_fill(recorded("full_fill"), servers=1, rule=AT_ONCE)
    assert await close(world) in told(world)
    assert watermarks(world) == []


async def test_its_lag_grows_while_a_later_ledger_is_shown_and_nobody_confirms_it() -> None:
    world = await before_the_fill(recorded("full_fill"), rule=AT_ONCE)
    assert world.metric("confirmed_lag_seconds") == 0
    await close(world, 0)
    assert (world.metric("confirmed_lag_seconds") or 0) > 0
    world.close_ledger(1)
    await close(world)
    assert world.metric("confirmed_lag_seconds") == 0


def quiet(ledger_index: int) -> LedgerFacts:
    header = Header(
        ledger_index=ledger_index,
        ledger_hash=f"{ledger_index:064X}",
        parent_hash=f"{ledger_index - 1:064X}",
        close_time=ledger_index * 4,
        parent_close_time=ledger_index * 4 - 4,
    )
    return LedgerFacts(header=header, reserves=Reserves(base=1_000_000, increment=200_000), transactions=())


def followed(
    watermark: Watermark, ledgers: Sequence[int], events: Sequence[OrdersEvent] = ()
) -> list[ReconcilerConfirmed]:
    """Follow ledgers that two servers name, each with these events."""
    found = []
    for ledger_index in ledgers:
        before = quiet(ledger_index - 1).header
        record = AccountRecord(
            network_id=0,
            account=ACCOUNT,
            ledger_index=before.ledger_index,
            ledger_hash=before.ledger_hash,
            adopted_at=1,
        )
        facts = msgspec.structs.replace(quiet(ledger_index), proven=bool(events))
        ledger = ConfirmedLedger(facts=facts, confirmed_by=("one", "two"))
        more = watermark.after_ledger(record, ledger, events)
        watermark.note_committed(record, facts.header, [*events, *more])
        found += more
    return found


def test_quiet_ledgers_move_it_once_in_so_many_and_each_is_covered_once() -> None:
    found = followed(Watermark(ACCOUNT), range(1_000, 1_000 + 10 * LEDGERS_BETWEEN))
    assert len(found) == 10
    assert found[0].first_ledger == 1_000
    ends = [(one.ledger_index or 0) + 1 for one in found[:-1]]
    assert [one.first_ledger for one in found[1:]] == ends


def test_accounts_take_turns_with_it() -> None:
    ledgers = range(1_000, 1_000 + LEDGERS_BETWEEN)
    turns = {followed(Watermark(f"r{number}"), ledgers)[0].ledger_index for number in range(20)}
    assert len(turns) > 10


def test_after_a_history_gap_it_covers_nothing_of_the_gap() -> None:
    watermark = Watermark(ACCOUNT)
    followed(watermark, [100])
    watermark.restart_after(150)
    [found] = followed(watermark, [151], [sample("order.filled")])
    assert (found.first_ledger, found.ledger_index) == (151, 151)
