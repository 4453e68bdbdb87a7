"""The only client of XRP Ledger servers: transports, typed questions, choice of server, whole ledgers.

`connect` opens a server by its URL. The questions take it as their first argument, check the answer
against the question and give it a type: `server_status`, `ledger_header`, `account_history`, `ledger_entry`
and the others. `fold_with_questions` folds a ledger with what the server knows of the ledger before.
`Servers` chooses among several, and a `BoundedReading` of one ends where it takes too long; `SharedServer`
and `WholeLedgerServer` let many accounts share answers. `RequestBudget` caps what is asked; `LedgerStream`
holds the newest ledgers as a server's streams show them.

Whatever goes wrong is a `ServerError`; its kinds say who is at fault.
"""

from ledger_client.addresses import classic_address
from ledger_client.answers import Pinned, ask, ask_pinned
from ledger_client.bounded_reading import BoundedReading, Patience
from ledger_client.connecting import connect
from ledger_client.envelope import API_VERSION, json_rpc_result, read_envelope, result_of
from ledger_client.folding import decide_with_questions, fold_with_questions
from ledger_client.history import (
    HistoryPage,
    HistoryServer,
    LedgerTransaction,
    account_history,
    history_pages,
)
from ledger_client.ledger_stream import LedgerBeginning, LedgerStream
from ledger_client.patient_server import PatientServer
from ledger_client.questions import (
    Snapshot,
    account_balances,
    account_mpts,
    account_root,
    account_snapshot,
    find_transaction,
    ledger_entry,
    ledger_header,
    listed_offers,
    state_before,
)
from ledger_client.request_budget import LEAST_A_MINUTE, BudgetedServer, RequestBudget, ask_for
from ledger_client.reserves import FEE_SETTINGS, reserves_after, reserves_at, reserves_between
from ledger_client.server import (
    Contradicted,
    Disputed,
    Endless,
    InvalidRequest,
    Lagging,
    LedgerServer,
    NotProven,
    Overloaded,
    ProtocolViolation,
    Refused,
    ServerError,
    TooSlow,
    Unconfirmed,
    Unreachable,
    WrongChain,
)
from ledger_client.server_choice import Servers
from ledger_client.server_urls import read_server_url, server_name
from ledger_client.shared_server import SharedServer
from ledger_client.single_flight import SingleFlight
from ledger_client.status import ServerStatus, server_status
from ledger_client.stream_group import StreamGroup
from ledger_client.stream_listener import StreamListener
from ledger_client.streamed_server import has_stream, stream_of, untouched_ledgers
from ledger_client.whole_ledger import WholeLedger, read_whole
from ledger_client.whole_ledgers import WholeLedgerServer

__all__ = [
    "API_VERSION",
    "FEE_SETTINGS",
    "LEAST_A_MINUTE",
    "BoundedReading",
    "BudgetedServer",
    "Contradicted",
    "Disputed",
    "Endless",
    "HistoryPage",
    "HistoryServer",
    "InvalidRequest",
    "Lagging",
    "LedgerBeginning",
    "LedgerServer",
    "LedgerStream",
    "LedgerTransaction",
    "NotProven",
    "Overloaded",
    "Patience",
    "PatientServer",
    "Pinned",
    "ProtocolViolation",
    "Refused",
    "RequestBudget",
    "ServerError",
    "ServerStatus",
    "Servers",
    "SharedServer",
    "SingleFlight",
    "Snapshot",
    "StreamGroup",
    "StreamListener",
    "TooSlow",
    "Unconfirmed",
    "Unreachable",
    "WholeLedger",
    "WholeLedgerServer",
    "WrongChain",
    "account_balances",
    "account_history",
    "account_mpts",
    "account_root",
    "account_snapshot",
    "ask",
    "ask_for",
    "ask_pinned",
    "classic_address",
    "connect",
    "decide_with_questions",
    "find_transaction",
    "fold_with_questions",
    "has_stream",
    "history_pages",
    "json_rpc_result",
    "ledger_entry",
    "ledger_header",
    "listed_offers",
    "read_envelope",
    "read_server_url",
    "read_whole",
    "reserves_after",
    "reserves_at",
    "reserves_between",
    "result_of",
    "server_name",
    "server_status",
    "state_before",
    "stream_of",
    "untouched_ledgers",
]
