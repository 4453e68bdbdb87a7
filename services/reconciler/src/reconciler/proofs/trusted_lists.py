"""The configured lists of validators: read at start and once an hour, and their signatures checked."""

import asyncio
from collections.abc import Iterable

import structlog

from ledger_proof import (
    CheckedValidations,
    TrustPolicy,
    Unproven,
    ValidatorList,
    check_list,
    read_list_document,
)
from reconciler.metrics import Metrics
from reconciler.ports.proofs import ListSource

_log = structlog.get_logger()

_SECONDS_BETWEEN_READINGS = 3600.0
_SECONDS_AFTER_FAILURE = 60.0


class TrustedLists:
    """Keeps `validations` up to date with the newest lists of publishers whom the operator trusts."""

    def __init__(
        self,
        sources: Iterable[ListSource],
        policy: TrustPolicy,
        validations: CheckedValidations,
        metrics: Metrics,
    ) -> None:
        """`policy`: the publishers who are trusted."""
        self._sources = tuple(sources)
        self._policy = policy
        self._validations = validations
        self._metrics = metrics

    async def run(self) -> None:
        """Read the lists again and again until cancelled; a list that can't be read stays as it was."""
        if not self._sources:
            _log.info("no list of validators is configured: well-signed validations are kept, none confirms")
            return
        while True:
            all_read = await self.read_all()
            await asyncio.sleep(_SECONDS_BETWEEN_READINGS if all_read else _SECONDS_AFTER_FAILURE)

    async def read_all(self) -> bool:
        """Read every source once; False: one of them can't be used."""
        lists = {(one.publisher, one.sequence): one for one in self._validations.lists}
        all_read = True
        for source in self._sources:
            try:
                lists |= {(one.publisher, one.sequence): one for one in await self._read(source)}
            except (OSError, Unproven) as error:
                all_read = False
                _log.warning("a list of validators can't be used", source=source.name, problem=str(error))
        self._validations.use_lists(list(lists.values()))
        self._metrics.validator_lists.set(len({one.publisher for one in lists.values()}))
        return all_read

    async def _read(self, source: ListSource) -> list[ValidatorList]:
        published = read_list_document(await source.read())
        lists = [check_list(one) for one in published]
        for one in lists:
            if not self._policy.trusts(one.publisher):
                expected = "a publisher who is trusted (FILLPROOF_LIST_PUBLISHERS)"
                raise Unproven("list of validators", expected=expected, found=one.publisher.hex().upper())
        return lists
