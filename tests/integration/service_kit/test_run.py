"""A service starts, tells how it is, survives the absence of NATS and stops cleanly."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import nats
import pytest
from waiting import moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local_stack import Child, LocalStack

pytestmark = pytest.mark.stack

SERVICE = """
import asyncio, contextlib, os, sys
from service_kit import Contract, Unavailable, ServiceSettings, load_settings, make_app, make_broker, run
from service_kit import set_up_logs

settings = load_settings(ServiceSettings)
set_up_logs("service", settings)
broker = make_broker(settings.nats_url)
wrong = os.environ.get("WRONG")

@broker.subscriber("words")
async def hear(payload: bytes) -> None:
    word = payload.decode()
    if word == "unlucky":
        raise ValueError("what the handler said")
    if word == "slow":
        print("began", flush=True)
        await asyncio.sleep(0.3)
    print("heard", word, flush=True)

@contextlib.asynccontextmanager
async def lifespan():
    if wrong == "start":
        raise Unavailable("expected a database, found none")
    yield
    print("closed", flush=True)

async def check():
    return "it is not there" if wrong == "check" else None

async def work():
    raise ValueError("what the loop said")

contract = Contract(title="service", version="1", description="A service under test.", events=())
app = make_app(broker, contract=contract, checks={"database": check}, lifespan=lifespan)
sys.exit(run(app, settings, work=work if wrong == "work" else None))
"""


@pytest.fixture
def start(stack: LocalStack, nats_url: str, tmp_path: Path) -> Callable[..., Child]:
    """Start the service with more environment."""
    (tmp_path / "service_under_test.py").write_text(SERVICE)

    def start_service(**environment: str) -> Child:
        env = {"PYTHONPATH": str(tmp_path), "FILLPROOF_NATS_URL": nats_url, **environment}
        return stack.spawn("service_under_test", env=env, log_path=tmp_path / "log")

    return start_service


def ask(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - the URL is our child's
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def checks(url: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(ask(f"{url}/health/ready")[1])
    return answer


async def say(nats_url: str, word: str) -> None:
    connection = await nats.connect(nats_url)
    await connection.publish("words", word.encode())
    await connection.drain()


async def test_a_service_finishes_what_it_does_and_ends_with_status_0(
    start: Callable[..., Child], nats_url: str
) -> None:
    service = start()
    url = service.wait_ready()
    status, body = ask(f"{url}/health/live")
    assert (status, json.loads(body)) == (200, {"live": True})
    assert checks(url) == {"ready": True, "checks": {"jetstream": "ok", "database": "ok"}}
    assert b"python_info" in ask(f"{url}/metrics")[1]
    assert ask(f"{url}/nowhere")[0] == 404
    await say(nats_url, "quick")
    await say(nats_url, "slow")
    service.wait_for(lambda: b"began" in service.output() or None, what="begin")
    started = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - started < moment()
    assert service.output().decode().splitlines()[1:] == ["heard quick", "began", "heard slow", "closed"]


def test_a_service_is_not_ready_while_a_check_fails(start: Callable[..., Child]) -> None:
    service = start(WRONG="check")
    url = service.wait_listening()
    assert ask(f"{url}/health/ready")[0] == 503
    assert checks(url)["checks"]["database"] == "it is not there"
    assert ask(f"{url}/health/live")[0] == 200
    service.send(signal.SIGINT)
    assert service.wait() == 0


async def test_a_service_outlives_the_absence_of_nats(
    start: Callable[..., Child], stack: LocalStack, nats_url: str
) -> None:
    service = start()
    url = service.wait_ready()
    stack.kill_nats()
    service.wait_for(lambda: checks(url)["checks"]["jetstream"] == "not connected" or None, what="notice")
    stack.restart_nats()
    service.wait_ready()
    await say(nats_url, "quick")
    service.wait_for(lambda: b"heard quick" in service.output() or None, what="hear")
    assert service.stop() == 0


def test_a_service_stops_cleanly_while_nats_is_away(start: Callable[..., Child], stack: LocalStack) -> None:
    service = start()
    service.wait_ready()
    stack.kill_nats()
    try:
        assert service.stop() == 0
        assert b"closed" in service.output()
        assert b"Traceback" not in service.output()
    finally:
        stack.restart_nats()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"FILLPROOF_NATS_URL": "nats://127.0.0.1:1"}, "expected NATS at 127.0.0.1:1, found: "),
        ({"WRONG": "start"}, "expected a database, found none"),
    ],
)
def test_a_service_that_cannot_start_says_why_in_one_line(
    environment: dict[str, str], said: str, start: Callable[..., Child]
) -> None:
    service = start(**environment)
    assert service.wait() == 1
    assert service.output().decode().startswith(said)
    assert service.output().count(b"\n") == 1


def test_a_service_that_cannot_have_its_port_says_so(start: Callable[..., Child]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = start(FILLPROOF_HTTP_PORT=str(port))
        assert service.wait() == 1
    text = f"HTTP can't be served at 127.0.0.1:{port}: Address already in use\n"
    assert service.output().decode() == text


def test_a_service_whose_loop_fails_ends_with_the_reason(start: Callable[..., Child]) -> None:
    service = start(WRONG="work")
    assert service.wait() == 1
    assert b"ValueError: what the loop said" in service.output()


async def test_an_exception_of_a_handler_is_logged_as_one_line_of_json(
    start: Callable[..., Child], nats_url: str
) -> None:
    service = start()
    service.wait_ready()
    await say(nats_url, "unlucky")
    service.wait_for(lambda: b"ValueError" in service.output() or None, what="log")
    service.stop()
    logged = [json.loads(line) for line in service.output().splitlines() if line.startswith(b"{")]
    assert [line["level"] for line in logged] == ["error"]
    assert "ValueError: what the handler said" in logged[0]["exception"]
