"""An event's id is the UUID of version 5 that any other program derives from the fact's name."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from order_events import event_id

NAMESPACE = UUID("6f1a4c0e-5c1d-5a0e-9f1e-0f111b00f111")


@given(st.integers(0, 2**32 - 1), st.text(), st.integers(0, 2**32 - 1), st.none() | st.text())
def test_an_events_id_is_a_uuid_of_version_5(
    network_id: int, account: str, sequence: int, transaction_hash: str | None
) -> None:
    found = event_id(
        network_id=network_id,
        kind="order.filled",
        account=account,
        sequence=sequence,
        transaction_hash=transaction_hash,
    )
    name = f"{network_id}|order.filled|{account}|{sequence}|{transaction_hash or ''}"
    assert found == uuid5(NAMESPACE, name)
    assert found.version == 5
