"""A nats-server with a configuration file, on a free port of the loopback interface."""

import json
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from running_command import running
from waiting import wait_until


@contextmanager
def configured_nats(configuration: Path, place: Path, *options: str | Path) -> Iterator[int]:
    """Run one until the block ends and give its port; `place`: where it writes which port that is.

    `options`: more of the command line's.
    """
    command = [
        *(Path(sysconfig.get_path("scripts")) / "nats-server", "-c", configuration),
        *("-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", place, *options),
    ]
    with running(command, stderr=subprocess.STDOUT) as server:
        written = place / f"nats-server_{server.pid}.ports"
        wait_until(lambda: server.poll() is not None or _port(written) is not None, "nats-server's port")
        port = _port(written)
        assert port is not None, f"expected nats-server to start, found: {server.communicate()[0]}"
        yield port


def _port(written: Path) -> int | None:
    try:
        return urlsplit(json.loads(written.read_text())["nats"][0]).port
    except (FileNotFoundError, json.JSONDecodeError):
        return None
