"""The one-shot step before services start: `python -m service_kit.provision --nats URL`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from service_kit.connection import connect
from service_kit.errors import FAILURE_STATUS, Unavailable
from service_kit.settings import EngineSettings, ServiceSettings, StreamSettings, load_settings
from service_kit.streams import provision


def main() -> int:
    """Make or update streams, bucket and consumers; returns the exit status."""
    parser = argparse.ArgumentParser(prog="service_kit.provision", description=__doc__)
    parser.add_argument("--nats", metavar="URL", help="by default FILLPROOF_NATS_URL")
    url = parser.parse_args().nats or load_settings(ServiceSettings).nats_url
    settings, engines = load_settings(StreamSettings), load_settings(EngineSettings)
    try:
        asyncio.run(_provision(url, settings, engines))
    except Unavailable as error:
        sys.stderr.write(f"{error}\n")
        return FAILURE_STATUS
    return 0


async def _provision(url: str, settings: StreamSettings, engines: EngineSettings) -> None:
    connection = await connect(url)
    try:
        await provision(connection.jetstream(), settings, engines)
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
