"""The trading permission of one account, as its engine reads it: stale means stop."""

import asyncio
import time
from collections.abc import Callable
from typing import NoReturn

import msgspec
import nats.errors
from nats.aio.client import Client

from order_events import Permission, TradingPermission
from order_events.permission import (
    PERMISSION_BUCKET,
    PERMISSION_SECONDS,
    permission_key,
    read_permission,
)

_SECONDS_BETWEEN_QUESTIONS = 0.5
_ANSWER_SECONDS = 2.0
_REVISION = "Nats-Sequence"
_NEVER = float("-inf")


class PermissionWatch:
    """Asks the bus twice a second, and believes a value only while the reconciler writes it again.

    No clock is compared with another machine's: a value that does not change its revision within
    `PERMISSION_SECONDS` is stale.
    """

    def __init__(self, client: Client, subject: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Use `EngineBus.watch_permission`. `subject`: where the bus is asked for the value."""
        self._client = client
        self._subject = subject
        self._clock = clock
        self._revision = ""
        self._renewed = _NEVER
        self._value = b""

    async def run(self) -> NoReturn:
        """Ask again and again, until cancelled; nothing that the bus does ends it."""
        while True:
            await self.ask()
            await asyncio.sleep(_SECONDS_BETWEEN_QUESTIONS)

    async def ask(self) -> None:
        """Ask once."""
        asked = self._clock()
        try:
            answer = await self._client.request(self._subject, timeout=_ANSWER_SECONDS)
        except (nats.errors.Error, TimeoutError, OSError):
            return  # what is known grows old
        revision = (answer.headers or {}).get(_REVISION, "")
        if not revision:  # the bus has removed it
            self._renewed = _NEVER
        elif self._revision and revision != self._revision:
            self._renewed = asked
        self._revision, self._value = revision, answer.data

    @property
    def current(self) -> Permission:
        """What the engine may do now. Cancels are always allowed."""
        if self._clock() - self._renewed > PERMISSION_SECONDS:
            return Permission.STOP
        return read_permission(self._value)

    @property
    def reason(self) -> str:
        """Why it may not, for people; empty where it may."""
        if self._clock() - self._renewed > PERMISSION_SECONDS:
            return "no fresh word of the reconciler: the bus or the reconciler is away, or has just begun"
        try:
            return msgspec.json.decode(self._value, type=TradingPermission).reason
        except msgspec.DecodeError:
            return "a value that this version can't read"


def permission_subject(domain: str, network_id: int, account: str) -> str:
    """Return where the bus answers with the account's newest value (a direct get of its key)."""
    key = permission_key(network_id, account)
    return f"$JS.{domain}.API.DIRECT.GET.KV_{PERMISSION_BUCKET}.$KV.{PERMISSION_BUCKET}.{key}"
