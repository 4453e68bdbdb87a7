"""The witness: what this replica has committed, remembered in its own memory and in files of its own."""

from pathlib import Path

import structlog

_log = structlog.get_logger()

LEDGERS_BETWEEN_WRITES = 4


class FileWitness:
    """One small file for each account, where a directory is given (see `Witness`)."""

    def __init__(self, directory: Path | None) -> None:
        """`directory`: kept over restarts, and no part of the bus; None: what a restart forgets."""
        self._directory = directory
        self._committed: dict[str, int] = {}
        self._written: dict[str, int] = {}

    def read(self, prefix: str) -> int:
        """Return the newest ledger that was committed (see `Witness`)."""
        return max(self._committed.get(prefix, 0), self._read_file(prefix))

    def note(self, prefix: str, ledger_index: int) -> None:
        """Note that a ledger is committed (see `Witness`)."""
        self._committed[prefix] = ledger_index
        if abs(ledger_index - self._written.get(prefix, 0)) >= LEDGERS_BETWEEN_WRITES:
            self._write_file(prefix, ledger_index)
            self._written[prefix] = ledger_index

    def _read_file(self, prefix: str) -> int:
        if self._directory is None:
            return 0
        try:
            return int((self._directory / prefix).read_text())
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as problem:
            _log.warning("the witness's file can't be read", account=prefix, problem=str(problem))
            return 0

    def _write_file(self, prefix: str, ledger_index: int) -> None:
        if self._directory is None:
            return
        unfinished = self._directory / f"{prefix}.new"
        try:
            unfinished.write_text(str(ledger_index))
            unfinished.replace(self._directory / prefix)
        except OSError as problem:
            _log.warning("the witness's file can't be written", account=prefix, problem=str(problem))
