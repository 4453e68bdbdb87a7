"""Real metadata, spoilt by chance: nothing stops, nothing is made up, and what can't be read is named."""

import copy
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from recorded_history import (
    LARGE,
    SESSIONS,
    RecordedAccount,
    accounts_of,
    copy_of,
    follow,
    recorded_account,
    with_transactions,
)

from offer_lifecycle import AccountState, LedgerOutcome, MalformedTransaction, read_transaction
from order_events import OrderFilled, decode, encode

Raw = dict[str, Any]
Path = tuple[str | int, ...]

AHEAD = 12
"""Ledgers that are followed after the spoilt one."""
UNREADABLE: tuple[Any, ...] = (True, 1.5, [], {}, {"value": "x"}, "x", "1e5000", -1, 2**64)
"""What no field can be that the kernel needs."""
ODD: tuple[Any, ...] = (
    *UNREADABLE,
    None,
    0,
    "",
    "0",
    "-5",
    "1234e-5",
    "1e-5000",
    "99999999999999999999",
    {"mpt_issuance_id": "00000F6D" + 40 * "A", "value": "5"},
    {"currency": "USD", "issuer": "rNobody", "value": "1234e-5"},
    {"currency": "USD", "issuer": "rNobody", "value": "-1e80"},
    {"currency": "USD", "issuer": "rNobody", "value": "1e-5000"},
    {"currency": "USD", "value": "1"},
    10**18,
    -(10**18),
    99 * "9",
)
junk = st.sampled_from(ODD) | st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


KINDS = (("ModifiedNode", "FinalFields"), ("DeletedNode", "FinalFields"), ("CreatedNode", "NewFields"))
NEEDED = {
    *("Account", "Sequence", "TakerGets", "TakerPays", "Expiration", "DomainID", "PreviousTxnID"),
    *("Balance", "OwnerCount", "LowLimit", "HighLimit", "Flags"),
}


CANNOT_DO_WITHOUT = defaultdict(
    tuple,
    {
        "Offer": [
            (kind, fields, name)
            for kind, fields in KINDS
            for name in ("Account", "Sequence", "TakerGets", "TakerPays")
        ],
        # A root that was created may have none: pools begin so
        "AccountRoot": [(kind, fields, "Balance") for kind, fields in KINDS if kind != "CreatedNode"],
        "RippleState": [
            (kind, fields, name) for kind, fields in KINDS for name in ("Balance", "LowLimit", "HighLimit")
        ],
    },
)
"""The ways to what the kernel needs of an entry, by its type."""
DEEP = 6
NODES = ("metaData", "AffectedNodes")


class Place(NamedTuple):
    """One transaction of a recorded account: the ledger's place in its history, and its own in the ledger."""

    name: str
    account: str
    ledger: int
    transaction: int

    @property
    def recorded(self) -> RecordedAccount:
        return recorded_account(self.name, self.account)

    @property
    def record(self) -> Raw:
        """The transaction as the server wrote it; not to be changed."""
        one = self.recorded
        return one.records[one.facts[self.ledger].header.ledger_index][self.transaction]


@lru_cache
def places(name: str) -> list[Place]:
    return [
        Place(name, account, ledger, transaction)
        for account in accounts_of(name)
        for ledger, facts in enumerate(recorded_account(name, account).facts)
        for transaction in range(len(facts.transactions))
    ]


@lru_cache(maxsize=64)
def states(name: str, account: str) -> list[AccountState]:
    """Return the account before each ledger, and after the last."""
    one = recorded_account(name, account)
    state = one.adopted()
    return [copy_of(state), *(copy_of(state) for _ in follow(state, one.facts))]


some_place = st.sampled_from([name for name in SESSIONS if name not in LARGE and places(name)]).flatmap(
    lambda name: st.sampled_from(places(name))
)


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the way to everything inside of a decoded JSON value."""
    inside = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in inside:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def spoil(value: Any, path: Path, junk: object, *, drop: bool) -> None:  # noqa: ANN401 - any JSON
    """Drop one field or node, or write over it."""
    for key in path[:-1]:
        value = value[key]
    if drop:
        del value[path[-1]]
    else:
        value[path[-1]] = copy.deepcopy(junk)


@st.composite
def spoilt_nodes(draw: st.DrawFn, account: str, nodes: list[Raw]) -> tuple[int, list[Raw]]:
    """Spoil one of the nodes, mostly where something is read, in up to three places."""
    offers = [place for place, wrapper in enumerate(nodes) if type_of(wrapper) == "Offer"]
    balances = [place for place, wrapper in enumerate(nodes) if account in json.dumps(wrapper)]
    telling = offers or balances if draw(st.booleans()) else balances
    place = draw(st.sampled_from(telling) if telling and draw(st.integers(0, 9)) else place_in(nodes))
    spoilt = copy.deepcopy(nodes)
    for _ in range(draw(st.integers(1, 3))):
        ways = list(paths(spoilt[place]))
        needed = [way for way in ways if NEEDED & set(way)]
        if not ways or not draw(st.integers(0, 19)):
            spoilt[place] = copy.deepcopy(draw(junk))
            break
        way = draw(st.sampled_from(needed if needed and draw(st.integers(0, 9)) else ways))
        spoil(spoilt[place], way, draw(junk), drop=draw(st.booleans()))
    return place, spoilt


def place_in(nodes: list[Raw]) -> st.SearchStrategy[int]:
    return st.integers(0, len(nodes) - 1)


def type_of(wrapper: Raw) -> str:
    [node] = wrapper.values()
    return str(node["LedgerEntryType"])


class Ran(NamedTuple):
    state: AccountState
    outcomes: list[LedgerOutcome]

    def trades(self, *, but: set[int]) -> list[tuple[int, str | None, object, object]]:
        """Return who traded what in which transaction, of all orders but some."""
        return [
            (event.sequence, event.transaction_hash, event.gave, event.got)
            for outcome in self.outcomes
            for event in outcome.events
            if isinstance(event, OrderFilled) and event.sequence not in but
        ]

    def orders(self, *, but: set[int]) -> dict[int, tuple[object, ...]]:
        """Return what the ledger says of all orders but some; why one was removed depends on balances."""
        return {
            sequence: (order.status, order.listed, order.gave, order.got, order.gets_left, order.removed_by)
            for sequence, order in self.state.orders.items()
            if sequence not in but
        }


def run(place: Place, record: Raw | None) -> Ran:
    """Follow the account through the place's ledger and some after it; `record` in the place's stead."""
    one = place.recorded
    ledgers = one.facts[place.ledger : place.ledger + AHEAD]
    if record is not None:
        transactions = list(ledgers[0].transactions)
        index = ledgers[0].header.ledger_index
        transactions[place.transaction] = read_transaction(json.dumps(record).encode(), ledger_index=index)
        ledgers = [with_transactions(ledgers[0], transactions), *ledgers[1:]]
    state = copy_of(states(place.name, place.account)[place.ledger])
    return Ran(state, list(follow(state, ledgers)))


def concerned(place: Place, wrapper: Raw) -> set[int]:
    """Return the sequences of the account's orders that the node, or the transaction itself, is about."""
    [node] = wrapper.values()
    fields = node.get("FinalFields") or node.get("NewFields") or {}
    found = {fields["Sequence"]} if type_of(wrapper) == "Offer" else set()
    if place.record["Account"] == place.account:
        found.add(place.record.get("TicketSequence") or place.record["Sequence"])
    return found


def claimed(node: object) -> set[int]:
    """Return the numbers in a spoilt node: one of them may be read as the sequence of an order."""
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    here = {node} if isinstance(node, int) else set()
    return here.union(*(claimed(inner) for inner in inside))


@given(some_place, st.data())
@settings(deadline=None, max_examples=400)
def test_a_spoilt_node_stops_nothing_and_touches_no_other_order(place: Place, data: st.DataObject) -> None:
    nodes = place.record["metaData"]["AffectedNodes"]
    at, spoilt = data.draw(spoilt_nodes(place.account, nodes))
    theirs = concerned(place, nodes[at]) | claimed(spoilt[at])
    whole, damaged = run(place, None), run(place, with_nodes(place.record, spoilt))
    assert damaged.trades(but=theirs) == whole.trades(but=theirs)
    assert damaged.orders(but=theirs) == whole.orders(but=theirs)
    for outcome in damaged.outcomes:
        assert [decode(encode(event)) for event in outcome.events] == list(outcome.events)


@given(some_place, st.data())
@settings(deadline=None, max_examples=200)
def test_only_what_is_no_transaction_at_all_is_refused_and_by_its_name(
    place: Place, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from([path for path in paths(place.record) if len(path) < DEEP]))
    spoilt = copy.deepcopy(place.record)
    spoil(spoilt, path, data.draw(junk), drop=data.draw(st.booleans()))
    refused = ""
    try:
        run(place, spoilt)
    except MalformedTransaction as error:
        refused = str(error)
    inside_a_node = path[:2] == NODES and path != NODES
    assert not (refused and inside_a_node)
    assert not refused or path == ("hash",) or place.record["hash"] in refused


@given(some_place, st.data())
@settings(deadline=None, max_examples=300)
def test_a_node_that_cannot_be_read_is_named_and_nothing_is_read_into_it(
    place: Place, data: st.DataObject
) -> None:
    nodes = place.record["metaData"]["AffectedNodes"]
    needed = [
        (at, way)
        for at, wrapper in enumerate(nodes)
        for way in CANNOT_DO_WITHOUT[type_of(wrapper)]
        if place.account in json.dumps(wrapper) and way[0] in wrapper
    ]
    assume(needed)
    at, way = data.draw(st.sampled_from(needed))
    spoilt = copy.deepcopy(nodes)
    unreadable = [value for value in UNREADABLE if way[-1] != "Account" or not isinstance(value, str)]
    spoil(spoilt[at], way, data.draw(st.sampled_from(unreadable)), drop=data.draw(st.booleans()))
    # A balance that no longer says whose it is may be anybody's
    assume(type_of(nodes[at]) == "Offer" or place.account in json.dumps(spoilt[at]))
    ran = run(place, with_nodes(place.record, spoilt))
    [named] = ran.outcomes[0].damaged[:1]
    [node] = nodes[at].values()
    transaction = place.record["hash"]
    assert named.startswith(f"transaction {transaction}: ")
    assert str(node["LedgerIndex"]) in named or f"AffectedNodes[{at}]" in named
    assert str(way[-1]) in named
    theirs = concerned(place, nodes[at])
    made_up = [
        trade for trade in ran.trades(but=set()) if trade[:2] in {(one, transaction) for one in theirs}
    ]
    assert made_up == []


def with_nodes(record: Raw, nodes: list[Raw]) -> Raw:
    return {**record, "metaData": {**record["metaData"], "AffectedNodes": nodes}}
