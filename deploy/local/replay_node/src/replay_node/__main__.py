"""`python -m replay_node SESSION`: serve a recorded session until TERM or INT."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from replay_node.errors import RpcError
from replay_node.faults import Faults
from replay_node.node import VALIDATORS, Node
from replay_node.pace import Pace, parse_pace
from replay_node.recordings import session_path
from replay_node.server import listening
from replay_node.session import BadSession, Session, read_session

if TYPE_CHECKING:
    from collections.abc import Sequence

_BAD_USE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 after a clean stop, 2 where the session, an option or the port is bad."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    options = _parser().parse_args(arguments)
    try:
        faults = _faults(options)
        session = read_session(session_path(options.session))
        # The recording stays for the process's life: keep the collector from walking it again and again.
        gc.freeze()
        node = Node(
            session,
            pace=options.pace,
            faults=faults,
            network_id=options.network_id,
            validators=options.validators,
            encode_ahead=options.encode_ahead,
        )
        asyncio.run(_serve(node, session, options.host, options.port))
    except (BadSession, RpcError) as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"expected to listen on {options.host}:{options.port}, found: {error}")
    return 0


async def _serve(node: Node, session: Session, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with listening(node, host, port) as url:
        ready = {
            "url": url,
            "first_ledger": node.chain.first_index,
            "last_ledger": node.chain.last_index,
            "accounts": session.accounts,
            "publisher": node.validators.publisher,
        }
        print(msgspec.json.encode(ready).decode(), flush=True)  # noqa: T201 - the line that callers wait for
        await stop.wait()


def _complain(text: str) -> int:
    print(f"replay_node: {text}", file=sys.stderr)  # noqa: T201 - a command line's error
    return _BAD_USE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="replay_node", description="Serve a recorded XRP Ledger session.")
    parser.add_argument("session", help="a .json or .json.gz session, or the name of a recorded one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (loopback by default)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (a free one by default)")
    parser.add_argument(
        "--pace",
        type=_pace,
        default=Pace(on_read=True),
        help="seconds between ledgers; `read` (default): as they are read; `manual`: on ledger_accept",
    )
    parser.add_argument("--network-id", type=int, help="network id that server_info shows")
    parser.add_argument(
        "--validators",
        type=_count,
        default=VALIDATORS,
        metavar="N",
        help=f"how many invented validators sign for the ledgers ({VALIDATORS} by default)",
    )
    parser.add_argument(
        "--encode-ahead",
        action="store_true",
        help="encode each ledger in binary before it closes, as a real server has it stored",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help=f"switch a fault on, as in skip=0.5 or hole=[100,120]: {', '.join(Faults.__struct_fields__)}",
    )
    return parser


def _pace(text: str) -> Pace:
    try:
        return parse_pace(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected a number from 0 on, found {text!r}")
    return int(text)


def _faults(options: argparse.Namespace) -> Faults:
    faults = Faults()
    for option in options.fault:
        name, _, value = option.partition("=")
        try:
            faults.change({name: msgspec.json.decode(value or "true")})
        except msgspec.DecodeError as error:
            raise RpcError(
                "invalidParams", f"expected --fault NAME=JSON, found {option!r}: {error}"
            ) from error
    return faults


if __name__ == "__main__":
    sys.exit(main())
