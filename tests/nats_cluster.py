"""Three real NATS servers on the loopback interface that are one JetStream cluster."""

import subprocess
import sysconfig
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waiting import moment, wait_until

from local_stack.ports import LOOPBACK, any_free

CONFIGURATION = """
server_name: {name}
listen: "{host}:{port}"
http: "{host}:{monitoring_port}"
jetstream {{
  store_dir: "{place}/{name}"
  max_memory_store: 64MB
  max_file_store: 40GB
  sync_interval: always
}}
cluster {{ name: fillproof, listen: "{host}:{cluster_port}", routes: [{routes}] }}
"""


class Server:
    """One of them; its data stays when it is killed."""

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self.place = place
        self.port, self.cluster_port, self.monitoring_port = any_free(), any_free(), any_free()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://{LOOPBACK}:{self.port}"

    @property
    def configuration(self) -> Path:
        return self.place / f"{self.name}.conf"

    def start(self) -> None:
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        with (self.place / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen([binary, "-c", self.configuration], stdout=log, stderr=log)

    @property
    def runs(self) -> bool:
        """Whether it is up, as far as its process goes."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def healthy(self) -> bool:
        """Whether all that it holds of streams and consumers is current."""
        try:
            url = f"http://{LOOPBACK}:{self.monitoring_port}/healthz"
            with urllib.request.urlopen(url, timeout=moment()) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


class Cluster:
    """The three servers."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers

    @property
    def urls(self) -> str:
        return ",".join(server.url for server in self.servers)

    def named(self, name: str) -> Server:
        return next(server for server in self.servers if server.name == name)

    def wait_healthy(self) -> None:
        wait_until(lambda: all(server.healthy() for server in self.servers), "the cluster is whole")


@contextmanager
def nats_cluster(place: Path) -> Iterator[Cluster]:
    """Run them until the block ends."""
    servers = [Server(name, place) for name in ("one", "two", "three")]
    routes = ", ".join(f'"nats://{LOOPBACK}:{server.cluster_port}"' for server in servers)
    for server in servers:
        settings = {
            "name": server.name,
            "host": LOOPBACK,
            "port": server.port,
            "cluster_port": server.cluster_port,
            "monitoring_port": server.monitoring_port,
        }
        server.configuration.write_text(CONFIGURATION.format(place=place, routes=routes, **settings))
    cluster = Cluster(servers)
    try:
        for server in servers:
            server.start()
        cluster.wait_healthy()
        yield cluster
    finally:
        for server in servers:
            server.kill()
