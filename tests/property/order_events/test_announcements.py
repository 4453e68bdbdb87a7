"""Announcements at the border: any bytes are one within the ledger's bounds, or malformed."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
from extreme_announcements import ACCOUNT, AMOUNTS, LONGEST_NAMES, canceled, events_of, followed, submitted
from hypothesis import given
from hypothesis import strategies as st

from offer_lifecycle import Header, Order, adopt_without_snapshot, ripple_time_to_datetime
from order_events import Amount, CancelRequested, Malformed, OrderSubmitted, decode_announcement, encode

USD = "USD.rrhyM3FTkZAu7RQBwnZ1zS79GEssxSmEd3"
EVENT_LIMIT = 8_192
RECORD_LIMIT = 400_000
"""Bytes; a message of the bus holds a megabyte."""
LARGEST_ORDER = 4_096
"""Bytes of a stored order: some hundred of them share a message of the bus, which holds a megabyte."""
SUBMITTED: dict[str, Any] = {
    "event_type": "engine.order.submitted",
    "account": ACCOUNT,
    "session_id": "s",
    "validated_ledger_index": 23,
    "sequence": 20,
    "taker_gets": {"asset": "XRP", "value": "100000000"},
    "taker_pays": {"asset": USD, "value": "50"},
    "flags": 524288,
    "expiration": "2026-11-23T17:53:13Z",
    "transaction_hash": "B3B9FAFA2B1D0847CD76CD3ECF411230979796316C4100DB9A490D5AC7287835",
    "last_ledger_sequence": 43,
    "client_order_id": "grid-7/ask-03",
}
CANCEL: dict[str, Any] = {
    "event_type": "engine.order.cancel_requested",
    "account": ACCOUNT,
    "sequence": 20,
    "transaction_hash": "ab" * 32,
}
NUMBERS = st.one_of(
    st.decimals().map(str),
    st.integers().map(str),
    st.tuples(st.integers(0, 10**20), st.integers(-200, 200)).map(lambda parts: f"{parts[0]}e{parts[1]}"),
    st.sampled_from(["1e131090", "1e999999999999", "1e-999999999999", "NaN", "-sNaN", "Infinity", "9" * 500]),
)
ASSETS = st.one_of(st.text(), st.sampled_from(["XRP", USD, "AB" * 24, f"MPT.{'0' * 48}"]))
MADE_AMOUNTS = st.fixed_dictionaries({"asset": ASSETS, "value": NUMBERS})
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=300),
    st.text(st.characters(max_codepoint=0xA0), max_size=20),
    MADE_AMOUNTS,
    st.datetimes().map(lambda time: time.isoformat()),
    st.lists(st.integers(), max_size=3),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An announcement with up to three fields that are something else, or are missing."""
    message = dict(draw(st.sampled_from([SUBMITTED, CANCEL])))
    for name in draw(st.lists(st.sampled_from([*SUBMITTED, "version", "unheard_of"]), max_size=3)):
        if draw(st.booleans()) or name not in message:
            message[name] = draw(VALUES)
        else:
            del message[name]
    return json.dumps(message, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


def check(payload: bytes) -> None:
    """Whatever is accepted can be held as an order, written and told within bounds."""
    for subject in ("engine.order.submitted", "engine.order.cancel_requested"):
        try:
            event = decode_announcement(payload, subject, subject_without_account=True)
        except Malformed:
            continue
        assert decode_announcement(encode(event), f"{subject}.{event.account}") == event
        header = Header(ledger_index=30, ledger_hash="", parent_hash="", close_time=4, parent_close_time=0)
        state = adopt_without_snapshot(network_id=0, account=event.account, header=header)
        order = state.announce(event)
        assert "\x00" not in encode(event).decode()
        if isinstance(event, OrderSubmitted):
            assert within_the_ledger(event.taker_gets)
            assert within_the_ledger(event.taker_pays)
        if order is not None:
            written = msgspec.json.encode(order)
            assert len(written) < LARGEST_ORDER
            assert msgspec.json.decode(written, type=Order) == order
            assert order.expiration is None or ripple_time_to_datetime(order.expiration) <= LAST_TIME


LAST_TIME = datetime(2136, 2, 7, 6, 28, 15, tzinfo=UTC)


def within_the_ledger(amount: Amount) -> bool:
    digits = "".join(map(str, amount.value.as_tuple().digits)).strip("0")
    whole = amount.value == amount.value.to_integral_value()
    if amount.asset == "XRP":
        return whole and 0 < amount.value <= 10**17
    if "." in amount.asset.removeprefix("MPT."):
        return len(digits) <= 16 and -81 <= amount.value.adjusted() <= 95
    return whole and 0 < amount.value < 2**63


IN_BOUNDS = st.builds(
    submitted,
    st.sampled_from(AMOUNTS[:4]),
    st.sampled_from(AMOUNTS[4:]),
    st.one_of(
        st.none(),
        st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=128),
        st.sampled_from(LONGEST_NAMES),
    ),
    st.integers(1, 2**32 - 1),
)


@given(st.lists(IN_BOUNDS, max_size=30), st.integers(0, 40))
def test_whatever_is_announced_events_and_records_stay_far_below_the_bus_s_limit(
    announced: list[OrderSubmitted], cancels: int
) -> None:
    state = followed()
    for event in announced:
        decode_announcement(encode(event), f"engine.order.submitted.{ACCOUNT}")  # it is within bounds
        state.announce(event)
        for number in range(cancels):
            state.announce(canceled(event.sequence + number, event.session_id))
    assert max((len(msgspec.json.encode(order)) for order in state.orders.values()), default=0) < 16_384
    assert len(msgspec.json.encode(state.record)) < RECORD_LIMIT
    told = events_of(state)
    assert len(told) == len({event.sequence for event in announced})
    assert max((len(encode(event)) for event in told), default=0) < EVENT_LIMIT


@given(st.binary(max_size=400))
def test_any_bytes_are_an_announcement_within_bounds_or_malformed(payload: bytes) -> None:
    check(payload)


@given(mutated())
def test_a_mutated_announcement_is_within_bounds_or_malformed(payload: bytes) -> None:
    check(payload)


def test_the_announcements_that_are_mutated_are_accepted_as_they_are() -> None:
    submitted = decode_announcement(json.dumps(SUBMITTED).encode(), f"engine.order.submitted.{ACCOUNT}")
    cancel = decode_announcement(json.dumps(CANCEL).encode(), f"engine.order.cancel_requested.{ACCOUNT}")
    assert isinstance(submitted, OrderSubmitted)
    assert isinstance(cancel, CancelRequested)
