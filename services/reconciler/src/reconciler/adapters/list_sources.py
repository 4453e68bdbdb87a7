"""Published lists of validators: from a file, or from their publisher's site."""

import asyncio
from pathlib import Path

import httpx

_LARGEST = 2_000_000
"""Bytes; the published ones have some 20,000."""
_SECONDS = 15.0


class FileSource:
    """A published list that was saved to a file, or is kept there by another program."""

    def __init__(self, path: str) -> None:
        """Read from `path`."""
        self.name = path

    async def read(self) -> bytes:
        """Return the document (see `ListSource`)."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        with Path(self.name).open("rb") as file:
            return file.read(_LARGEST)


class SiteSource:
    """A publisher's site. What it serves proves itself, so it needs no trust."""

    def __init__(self, url: str) -> None:
        """Read from `url`."""
        self.name = url

    async def read(self) -> bytes:
        """Return the document (see `ListSource`)."""
        document = bytearray()
        try:
            async with (
                asyncio.timeout(_SECONDS),
                httpx.AsyncClient(follow_redirects=True, timeout=_SECONDS) as client,
                client.stream("GET", self.name) as answer,
            ):
                answer.raise_for_status()
                async for part in answer.aiter_bytes():
                    document += part
                    if len(document) > _LARGEST:
                        raise OSError(f"{self.name}: expected at most {_LARGEST:,} bytes, found more")
        except (httpx.HTTPError, TimeoutError) as error:
            raise OSError(f"{self.name}: expected a list of validators, found {error!r}") from error
        return bytes(document)


def list_source(place: str) -> FileSource | SiteSource:
    """Return the source at a path, or at a URL that begins with http:// or https://."""
    return SiteSource(place) if place.startswith(("https://", "http://")) else FileSource(place)
