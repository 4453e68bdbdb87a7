"""How large and how quick one reconciler is with thousands of accounts: `make bench`.

The state of all accounts lies in the bucket as after a long life. The ledger server beside it answers at
once and has nothing to tell of any of them, so that what is measured is the reconciler's own: taking the
state up, and going on when a ledger closes.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import cache
from hashlib import sha256
from statistics import median
from typing import Any

import msgspec
import nats
import psutil
from aiohttp import ClientSession, web
from rich.console import Console
from rich.progress import track
from rich.table import Table
from xrpl.core.addresscodec import encode_classic_address

from ledger_proof import read_header
from local_stack import Child, LocalStack
from offer_lifecycle import AccountRecord, Holding, Order
from order_events import Amount, OrderStatus
from reconciler.adapters.state_store import BucketStore
from reconciler.following import stored_account
from reconciler.metrics import Metrics
from service_kit import StreamSettings, provision

ACCOUNTS = 2_000
ORDERS = 50
"""Open ones, of each account."""
CURSOR = 1_000
LEDGERS = 5
COMMITS_AT_ONCE = 50
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 120.0
MOST_MEGABYTES = 500
MOST_SECONDS = 10
MEGA = 1e6


def address(name: str) -> str:
    """Return some account's address."""
    return encode_classic_address(sha256(name.encode()).digest()[:20])


ISSUER = address("issuer")
TOKEN = f"USD.{ISSUER}"
DROPS, TOKENS = 10**10, 500
"""Each account's balances."""
OFFERS = [(n, Decimal(1_000_000 * n), Decimal("0.5371") * n) for n in range(1, ORDERS + 1)]
"""Each account's, by sequence: drops given, dollars asked."""


def header(ledger_index: int, parent_hash: str) -> bytes:
    """Return the header of a ledger without transactions, as the ledger's hash is made of it."""
    no_tree = bytes(32)
    return b"".join(
        (
            ledger_index.to_bytes(4),
            (10**17).to_bytes(8),
            bytes.fromhex(parent_hash),
            no_tree,
            sha256(str(ledger_index).encode()).digest(),
            (4 * ledger_index - 4).to_bytes(4),
            (4 * ledger_index).to_bytes(4),
            bytes((10, 0)),
        )
    )


@cache
def ledger_hash(ledger_index: int) -> str:
    """Return the hash of a ledger; before the first one that matters they are no ledger's."""
    if ledger_index < CURSOR - 1:
        return f"{ledger_index:064X}"
    found = read_header(header(ledger_index, ledger_hash(ledger_index - 1)))
    return found.ledger_hash.hex().upper()


class Ledgers:
    """A ledger server on which nothing happens, over JSON-RPC."""

    def __init__(self) -> None:
        self.validated = CURSOR

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free port and give the URL."""
        app = web.Application()
        app.router.add_post("/", self._answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        asked = msgspec.json.decode(await request.read())
        answer = getattr(self, f"_{asked['method']}")(**asked["params"][0])
        body = msgspec.json.encode({"result": {"status": "success", "validated": True, **answer}})
        return web.Response(body=body, content_type="application/json")

    def _server_info(self, **_: object) -> dict[str, Any]:
        newest = {"seq": self.validated, "reserve_base_xrp": 1, "reserve_inc_xrp": 0.2}
        return {"info": {"complete_ledgers": f"1-{self.validated}", "validated_ledger": newest}}

    def _account_tx(self, ledger_index_min: int, ledger_index_max: int, **_: object) -> dict[str, Any]:
        bounds = {"ledger_index_min": ledger_index_min, "ledger_index_max": ledger_index_max}
        return {**bounds, "transactions": []}

    def _account_offers(self, ledger_index: int, **_: object) -> dict[str, Any]:
        offers = [
            {
                "seq": sequence,
                "taker_gets": str(drops),
                "taker_pays": {"currency": "USD", "issuer": ISSUER, "value": str(tokens)},
            }
            for sequence, drops, tokens in OFFERS
        ]
        return {"ledger_index": ledger_index, "offers": offers}

    def _account_info(self, ledger_index: int, **_: object) -> dict[str, Any]:
        data = {"Balance": str(DROPS), "OwnerCount": ORDERS, "Sequence": ORDERS + 1}
        return {"ledger_index": ledger_index, "account_data": data}

    def _account_lines(self, ledger_index: int, **_: object) -> dict[str, Any]:
        line = {"account": ISSUER, "currency": "USD", "balance": str(TOKENS)}
        return {"ledger_index": ledger_index, "lines": [line]}

    def _ledger(self, ledger_index: int, *, binary: bool = False, **_: object) -> dict[str, Any]:
        parent_hash = ledger_hash(ledger_index - 1)
        ledger = {
            "ledger_index": ledger_index,
            "ledger_hash": ledger_hash(ledger_index),
            "parent_hash": parent_hash,
            "close_time": 4 * ledger_index,
            "parent_close_time": 4 * ledger_index - 4,
            "transactions": [],
        }
        if binary:
            ledger = {"ledger_data": header(ledger_index, parent_hash).hex().upper(), "transactions": []}
        return {"ledger_index": ledger_index, "ledger": ledger}


def kept(account: str) -> dict[str, bytes]:
    """Return an account's state as a reconciler commits it."""
    orders = {
        sequence: Order(
            account=account,
            sequence=sequence,
            gets=Amount("XRP", drops),
            pays=Amount(TOKEN, tokens),
            price=Decimal("0.5371"),
            expiration=None,
            status=OrderStatus.ACCEPTED,
            listed=True,
            gets_left=drops,
            pays_left=tokens,
            last_txn_id=sha256(f"{account}{sequence}".encode()).hexdigest().upper(),
            client_order_id=f"grid-{sequence}",
            session_id="bench",
        )
        for sequence, drops, tokens in OFFERS
    }
    record = AccountRecord(
        network_id=0,
        account=account,
        adopted_at=1,
        ledger_index=CURSOR,
        ledger_hash=ledger_hash(CURSOR),
        holdings={
            "XRP": Holding(balance=Decimal(DROPS), owner_count=ORDERS),
            TOKEN: Holding(balance=Decimal(TOKENS)),
        },
    )
    account_value = stored_account.account_value(
        stored_account.StoredAccount(record=record, engine_sequence=0)
    )
    return {**stored_account.order_values(orders), stored_account.ACCOUNT_KEY: account_value}


async def fill_bucket(nats_url: str, accounts: Iterable[str]) -> None:
    """Commit the state of all accounts."""
    client = await nats.connect(nats_url)
    await provision(client.jetstream(), StreamSettings())
    store = BucketStore(lambda: client, Metrics())
    names = list(accounts)
    starts = range(0, len(names), COMMITS_AT_ONCE)
    for at in track(starts, description="Filling the bucket", console=Console(stderr=True)):
        some = names[at : at + COMMITS_AT_ONCE]
        await asyncio.gather(*(store.commit(f"0.{name}", kept(name), [], 0) for name in some))
    await client.close()


class Reconciler:
    """The process under measurement."""

    def __init__(self, child: Child, http: ClientSession) -> None:
        self._process = psutil.Process(child.pid)
        self._child = child
        self._http = http
        self._url = child.wait_listening()

    def megabytes(self) -> float:
        """Return what it holds of the machine's memory."""
        return float(self._process.memory_info().rss) / MEGA

    def cpu_seconds(self) -> float:
        """Return what it has used of a processor."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    async def until_at(self, ledger_index: int) -> None:
        """Wait until every account is followed up to a ledger."""

        async def there() -> bool:
            newest, behind, orders = await self._metrics(
                "validated_ledger", "cursor_lag_ledgers", "open_orders"
            )
            return (newest, behind, orders) == (ledger_index, 0, ACCOUNTS * ORDERS)

        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await there():
                self._child.check()
                await asyncio.sleep(POLL_SECONDS)

    async def _metrics(self, *names: str) -> list[float]:
        async with self._http.get(f"{self._url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return [float(told[f"reconciler_{name}"]) for name in names]


async def timed(work: Callable[[], Awaitable[None]]) -> float:
    """Return the seconds that it took."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def measure(stack: LocalStack) -> Table:
    """Fill, start, let ledgers close; return the table."""
    accounts = [address(str(number)) for number in range(ACCOUNTS)]
    await fill_bucket(stack.nats_url, accounts)
    ledgers = Ledgers()
    async with ledgers.serving() as url, ClientSession() as http:
        variables = {
            "NATS_URL": stack.nats_url,
            "XRPL_URLS": url,
            "ACCOUNTS": ",".join(accounts),
        }
        began = time.perf_counter()
        child = stack.spawn(
            "reconciler", env={f"FILLPROOF_{name}": str(value) for name, value in variables.items()}
        )
        reconciler = Reconciler(child, http)
        await reconciler.until_at(CURSOR)
        start = time.perf_counter() - began
        size, start_used = reconciler.megabytes(), reconciler.cpu_seconds()
        each: list[float] = []
        for _ in track(range(LEDGERS), description="Closing ledgers", console=Console(stderr=True)):
            ledgers.validated += 1
            each.append(await timed(lambda: reconciler.until_at(ledgers.validated)))
        used = reconciler.cpu_seconds() - start_used
    table = Table(title=f"One reconciler, {ACCOUNTS:,} accounts, {ACCOUNTS * ORDERS:,} open orders")
    table.add_column("What")
    table.add_column("Measured", justify="right")
    table.add_column("To reach", justify="right")
    table.add_row("From the start until every account is taken up, s", f"{start:.1f}", f"< {MOST_SECONDS}")
    table.add_row("  processor seconds", f"{start_used:.1f}", "")
    table.add_row("Memory (RSS) after that, MB", f"{size:.0f}", f"< {MOST_MEGABYTES}")
    table.add_row("Memory (RSS) at the end, MB", f"{reconciler_size(child):.0f}", f"< {MOST_MEGABYTES}")
    table.add_row("A ledger without news, all accounts: median, s", f"{median(each):.1f}", "")
    table.add_row("  longest, s", f"{max(each):.1f}", "")
    table.add_row("  processor seconds, mean", f"{used / LEDGERS:.1f}", "")
    return table


def reconciler_size(child: Child) -> float:
    """Return its memory in megabytes."""
    return float(psutil.Process(child.pid).memory_info().rss) / MEGA


def main() -> int:
    """Measure and print."""
    with LocalStack.start() as stack:
        Console().print(asyncio.run(measure(stack)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
