"""Files of the bus and of the database on their disks: copied, put back, cut off, damaged.

Each change is made while the server is down, as a disk or a restored backup makes it. A copy keeps owners and
modes: PostgreSQL refuses a directory that others may enter.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chaos.world import World

CUT_SHARE = 0.6
"""Of a stream's bytes are left when it is cut off."""
PAGE_BYTES = 8_192
DISK_BYTES = 64 * 2**20


def flip_bit(block: Path, payload: bytes) -> None:
    """Change one bit in the middle of a payload in a file of NATS."""
    content = bytearray(block.read_bytes())
    content[content.index(payload) + len(payload) // 2] ^= 1
    block.write_bytes(content)


class Stores:
    """The disks below a world's bus and database."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stack = world.stack
        self._mounted = False
        self._copies = world.stack.log_dir.parent / "copies"

    def copy_stream(self, stream: str) -> None:
        """Copy a stream as it is now."""
        self._with_nats_down(lambda: self._copy(self._stream(stream), stream))

    def put_back_stream(self, stream: str) -> None:
        """Put the copy in the stream's place."""
        self._with_nats_down(lambda: self._put_back(stream, self._stream(stream)))

    def copy_bus(self) -> None:
        """Copy all that the bus keeps."""
        self._with_nats_down(lambda: self._copy(self._stack.nats_store, "bus"))

    def put_back_bus(self) -> None:
        """Put the copy in the place of all that the bus keeps."""
        self._with_nats_down(lambda: self._put_back("bus", self._stack.nats_store))

    def cut_off_stream(self, stream: str) -> None:
        """Leave the first part of a stream's bytes, as a disk that lost what it had confirmed."""

        def cut() -> None:
            block = self._block(stream)
            content = block.read_bytes()
            block.write_bytes(content[: int(len(content) * CUT_SHARE)])
            # what the server had noted of the lost part is lost with it
            (block.parent / "index.db").unlink(missing_ok=True)

        self._with_nats_down(cut)

    def flip_message(self, stream: str, payload: bytes) -> None:
        """Change one bit of the message that has this payload."""

        def flip() -> None:
            flip_bit(self._block(stream), payload)

        self._with_nats_down(flip)

    def copy_database(self) -> None:
        """Copy the database as it is now."""
        self._stack.stop_postgres()
        self._copy(self._stack.postgres_cluster, "database")
        self._stack.start_postgres()

    def put_back_database(self) -> None:
        """Put the copy in the database's place."""
        self._stack.stop_postgres()
        self._put_back("database", self._stack.postgres_cluster)
        self._stack.start_postgres()

    def damage_page(self, path: str) -> None:
        """Write over the middle of the last page of a relation; `path`: below the data directory."""
        self._stack.stop_postgres()
        with (self._stack.postgres_cluster / path).open("r+b") as opened:
            opened.seek(-PAGE_BYTES // 2, 2)
            opened.write(b"damaged by a disk" * 20)
        self._stack.start_postgres()

    def bound_the_bus(self) -> None:
        """Give the bus a small disk of its own; only root may."""

        def mount() -> None:
            store = self._stack.nats_store
            self._copy(store, "bus")
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", store], check=True)
            self._mounted = True
            subprocess.run(["cp", "-a", f"{self._copies / 'bus'}/.", store], check=True)

        self._with_nats_down(mount)

    def fill_the_disk(self) -> None:
        """Leave the bus not one byte of its disk."""
        with self._filler.open("wb", buffering=0) as opened, contextlib.suppress(OSError):
            while True:
                opened.write(b"0" * PAGE_BYTES)

    def empty_the_disk(self) -> None:
        """Give it the room back."""
        self._filler.unlink()

    def give_back_room(self) -> None:
        """Let go of the small disk, if there is one."""
        if self._mounted:
            self._stack.stop_nats()
            subprocess.run(["umount", "--lazy", self._stack.nats_store], check=True)

    @property
    def _filler(self) -> Path:
        return self._stack.nats_store / "filler"

    def _with_nats_down(self, change: Callable[[], None]) -> None:
        self._world.stop_nats()
        change()
        self._world.mend_nats()

    def _copy(self, what: Path, name: str) -> None:
        self._copies.mkdir(exist_ok=True)
        _replaced(what, self._copies / name)

    def _put_back(self, name: str, where: Path) -> None:
        _replaced(self._copies / name, where)

    def _stream(self, stream: str) -> Path:
        [found] = self._stack.nats_store.glob(f"jetstream/*/streams/{stream}")
        return found

    def _block(self, stream: str) -> Path:
        """Return the file with a stream's messages: a session's fit into one."""
        [block] = (self._stream(stream) / "msgs").glob("*.blk")
        return block


def _replaced(source: Path, target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    subprocess.run(["cp", "-a", source, target], check=True)
