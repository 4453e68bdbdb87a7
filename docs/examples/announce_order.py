"""Announces an order, then its cancel: python announce_order.py nats://127.0.0.1:4222 rYourAccount."""

import asyncio
import json
import sys

import nats


async def announce(url: str, account: str) -> None:
    """Publish both announcements; a real engine sends each transaction right after its announcement."""
    client = await nats.connect(url)
    bus = client.jetstream(domain="fillproof")
    order = {
        "event_type": "engine.order.submitted",
        "account": account,
        "sequence": 20,
        "taker_gets": {"asset": "XRP", "value": "100000000"},
        "taker_pays": {"asset": "USD.rhub8VRN55s94qWKDv6jmDy1pUykJzF3wq", "value": "50"},
        "validated_ledger_index": 95000001,
        "last_ledger_sequence": 95000010,
        "client_order_id": "grid-7/ask-03",
        "session_id": "mm-1",
    }
    await bus.publish(f"engine.order.submitted.{account}", json.dumps(order).encode(), stream="ENGINE")
    cancel = {
        "event_type": "engine.order.cancel_requested",
        "account": account,
        "sequence": 20,
        "cancel_sequence": 21,
        "validated_ledger_index": 95000004,
        "last_ledger_sequence": 95000014,
    }
    await bus.publish(
        f"engine.order.cancel_requested.{account}", json.dumps(cancel).encode(), stream="ENGINE"
    )
    await client.close()


if __name__ == "__main__":
    asyncio.run(announce(*sys.argv[1:]))
