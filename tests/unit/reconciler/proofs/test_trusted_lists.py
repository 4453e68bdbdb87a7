"""The configured lists of validators: checked, renewed, and left as they are where a source fails."""

from __future__ import annotations

import pytest
from made_validators import MadeNetwork
from msgspec import json
from replaying import serving

from ledger_proof import CheckedValidations, read_trust
from reconciler.adapters.list_sources import list_source
from reconciler.metrics import Metrics
from reconciler.proofs.trusted_lists import TrustedLists

NETWORK = MadeNetwork()
LATER = MadeNetwork(size=6, sequence=2)


def document(network: MadeNetwork) -> bytes:
    one = network.list
    return json.encode({"manifest": one.manifest, "blob": one.blob, "signature": one.signature, "version": 1})


class Source:
    name = "a source"

    def __init__(self, *documents: bytes | OSError) -> None:
        self.documents = list(documents)

    async def read(self) -> bytes:
        found = self.documents.pop(0)
        if isinstance(found, OSError):
            raise found
        return found


def lists_of(*sources: Source) -> tuple[TrustedLists, CheckedValidations]:
    validations = CheckedValidations()
    trusted = read_trust(publishers=[NETWORK.trusted])
    return TrustedLists(sources, trusted, validations, Metrics()), validations


async def test_a_newer_list_is_used_beside_the_older_one() -> None:
    lists, validations = lists_of(Source(document(NETWORK), document(LATER)))
    assert await lists.read_all()
    assert await lists.read_all()
    assert [one.sequence for one in validations.lists] == [1, 2]


@pytest.mark.parametrize(
    "bad",
    [
        OSError("away"),
        b"no list",
        document(MadeNetwork(name="somebody else")),
        document(NETWORK).replace(NETWORK.list.signature[:8].encode(), b"00000000"),
    ],
)
async def test_a_source_that_fails_leaves_the_others_and_what_was_there(bad: bytes | OSError) -> None:
    lists, validations = lists_of(Source(document(NETWORK), bad), Source(bad, document(LATER)))
    assert not await lists.read_all()
    assert [one.sequence for one in validations.lists] == [1]
    assert not await lists.read_all()
    assert [one.sequence for one in validations.lists] == [1, 2]


async def test_a_list_is_read_from_a_publisher_s_site() -> None:
    async with serving("canceled") as node:
        url = f"{node.url}/vl/{node.node.validators.publisher}"
        assert json.decode(await list_source(url).read()) == node.node.validators.document
        with pytest.raises(OSError, match="expected a list of validators"):
            await list_source("http://127.0.0.1:1/vl").read()


async def test_a_file_that_is_not_there_is_an_error_that_is_tried_again() -> None:
    with pytest.raises(OSError, match="no such"):
        await list_source("no such list").read()
