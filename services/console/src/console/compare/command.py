"""The command `fillproof compare`: its options, its sources, and how it ends."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from console.asking import checked_url
from console.compare.comparison import Options, compare, read
from console.compare.example import EXAMPLE_OPTIONS, EXAMPLE_SESSIONS
from console.compare.ledger import LedgerRecord
from console.compare.ledger.sessions import RecordedSessions
from console.compare.page import write_page
from console.compare.report import Report, make_report
from console.compare.screen import describe, show
from console.ending import explained, refuse
from console.errors import BadOption
from console.extras import require_extra
from console.progress import Progress
from console.sessions import find_session
from console.tables import screen
from ledger_client import ServerError

_SESSION_ENDINGS = (".json", ".json.gz")
_HALT_AFTER = 3
_REQUESTS = 10.0
"""A second: what public servers bear."""

Books = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="BOOK [BOOK2]",
        help="The engine's book: an SQLite database or a CSV file; two where orders and fills are two files.",
    ),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="ADDRESS", help="Only this account; several may be given."),
]
Pairs = Annotated[
    list[str] | None, typer.Option("--pair", metavar="XRP/USD", help="Only this pair; several may be given.")
]
Issuers = Annotated[
    list[str] | None,
    typer.Option(
        "--issuer", metavar="USD=ADDRESS", help="Whose token a code is, where the book does not say."
    ),
]
First = Annotated[
    int | None,
    typer.Option("--from", metavar="LEDGER", min=2, help="The ledger with which the book begins."),
]
Last = Annotated[
    int | None, typer.Option("--to", metavar="LEDGER", min=2, help="The last ledger that the book can know.")
]
Complete = Annotated[
    bool,
    typer.Option("--complete", help="The book holds every order of its scope: what it lacks is a finding."),
]
Sessions = Annotated[
    list[str] | None,
    typer.Option(
        "--session", metavar="FILE", help="A recorded session: a path or a name, as `replay` takes."
    ),
]
Server = Annotated[
    str | None,
    typer.Option("--xrpl", metavar="URL", help="A server of the ledger, asked for the accounts' history."),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Where its answers are kept; by default in the user's cache directory."
    ),
]
Budget = Annotated[
    float, typer.Option("--requests", metavar="N", min=0.1, help="At most so many requests to it a second.")
]
Database = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="FILLPROOF_READER_DATABASE_URL",
        help="The audit database, as its reader: postgresql://grafana_reader:password@host:port/database.",
    ),
]
Zone = Annotated[
    str | None,
    typer.Option("--tz", metavar="ZONE", help="Of times without a zone: UTC, +02:00 or Europe/Zurich."),
]
Mapping = Annotated[
    Path | None, typer.Option("--mapping", metavar="FILE", help="Which columns hold what: docs/compare.md.")
]
HaltAfter = Annotated[
    int, typer.Option(min=1, metavar="N", help="The policy of a halt: after so many orders gone unexplained.")
]
Describe = Annotated[
    bool, typer.Option("--describe", help="Only say what was recognised in the book, and what it can't tell.")
]
Store = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Keep the findings in this audit database, as a role that is a fillproof_operator.",
    ),
]
Page = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the report there too, as one self-contained page."),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON line a finding on standard output; the rest on standard error."
    ),
]
Example = Annotated[
    bool,
    typer.Option("--example", help="Compare the book that comes with the command with its recorded session."),
]


def compare_command(  # noqa: PLR0913 - one parameter for each option
    book: Books = None,
    *,
    account: Accounts = None,
    pair: Pairs = None,
    issuer: Issuers = None,
    first: First = None,
    last: Last = None,
    complete: Complete = False,
    session: Sessions = None,
    database: Database = None,
    xrpl: Server = None,
    cache: Cache = None,
    requests: Budget = _REQUESTS,
    tz: Zone = None,
    mapping: Mapping = None,
    halt_after: HaltAfter = _HALT_AFTER,
    description: Describe = False,
    as_json: AsJson = False,
    html: Page = None,
    store: Store = None,
    example: Example = False,
) -> None:
    """Hold an engine's own book against the ledger: phantom fills, missed fills, and what they cost.

    The book is only ever read, also while the engine writes to it.

    Exit status: 0 it agrees; 1 it differs; 2 bad input, or the ledger can't be
    read; 3 what could be checked agrees, and a part could not be checked.

    Example: fillproof compare --example
    """
    books, more = _sorted_out(book or [])
    sessions = [*(session or []), *more]
    if example:
        if books or sessions:
            refuse("expected --example alone, without a book or a session")
        options, sessions = EXAMPLE_OPTIONS, list(EXAMPLE_SESSIONS)
    else:
        options = Options(
            books=tuple(books),
            accounts=tuple(account or ()),
            pairs=tuple(pair or ()),
            issuers=tuple(issuer or ()),
            first=first,
            last=last,
            complete=complete,
            zone=tz,
            mapping=mapping,
        )
    with explained(), _never_differs():
        if not options.books:
            raise BadOption(
                "expected the file of a book: fillproof compare BOOK (or: fillproof compare --example)"
            )
        if description:
            describe(read(options).description, screen())
            return
        progress = Progress(screen(stderr=True))
        with _record(sessions, database, lambda: _server(xrpl, cache, requests)) as record:
            compared = compare(read(options), options, record, progress)
            report = make_report(compared, record, halt_after, progress)
        if html is not None:
            write_page(report, html)
        if store is not None:
            _store(store, report)
        _print(report, as_json=as_json)
    raise typer.Exit(report.status)


def _sorted_out(given: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Tell books from sessions, which may follow `--session` in a row: no book ends in .json."""
    sessions = [str(path) for path in given if path.name.endswith(_SESSION_ENDINGS)]
    return [path for path in given if not path.name.endswith(_SESSION_ENDINGS)], sessions


@contextlib.contextmanager
def _never_differs() -> Iterator[None]:
    """Take a source that can't be used for bad input: exit status 1 says that book and ledger differ."""
    try:
        yield
    except ServerError as error:
        refuse(str(error))


@contextlib.contextmanager
def _record(
    sessions: Sequence[str],
    database: str | None,
    server: Callable[[], contextlib.AbstractContextManager[LedgerRecord]],
) -> Iterator[LedgerRecord]:
    if sessions:
        yield RecordedSessions([find_session(name) for name in dict.fromkeys(sessions)])
    elif database is not None:
        require_extra("database", command="compare --database")
        from console.compare.ledger.database import AuditDatabase

        yield AuditDatabase(database)
    else:
        with server() as record:
            yield record


@contextlib.contextmanager
def _server(url: str | None, cache: Path | None, requests: float) -> Iterator[LedgerRecord]:
    if url is None:
        raise BadOption("expected where to read the ledger: --xrpl URL, --database URL or --session FILE")
    from console.compare.ledger.answers import RememberingServer, default_cache
    from console.compare.ledger.server import ServerHistory
    from ledger_client import connect

    server = connect(checked_url(url))
    remembering = RememberingServer(server, cache or default_cache(), requests)
    named = url if url.startswith("@") else server.name  # what is printed and stored holds no secret
    with contextlib.closing(ServerHistory(remembering, ("--xrpl", named))) as record:
        yield record


def _store(url: str, report: Report) -> None:
    require_extra("database", command="compare --store")
    from console.compare.store import store_findings

    store_findings(url, report.findings, report.comparison.book.description.digest)


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        for finding in report.findings:
            sys.stdout.write(msgspec.json.encode(finding).decode() + "\n")
        sys.stdout.flush()
    show(report, screen(stderr=as_json))
