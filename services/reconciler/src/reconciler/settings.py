"""The reconciler's settings."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, DirectoryPath, Field, model_validator
from pydantic_settings import NoDecode

from ledger_client import LEAST_A_MINUTE, classic_address, read_server_url, server_name
from ledger_proof import KNOWN_PUBLISHERS
from service_kit import ServiceSettings


def _split(value: object) -> object:
    """Read `a, b` as two."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _is_url(text: str) -> str:
    read_server_url(text)
    return text


def _no_repetition(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError(f"expected each value once, found {len(values) - len(set(values))} again")
    return values


def _different_servers(urls: tuple[str, ...]) -> tuple[str, ...]:
    _no_repetition(tuple(map(server_name, urls)))
    return urls


def _is_a_budget(value: int) -> int:
    if 0 < value < LEAST_A_MINUTE:
        raise ValueError(f"expected 0 for no cap, or at least {LEAST_A_MINUTE}, found {value}")
    return value


Address = Annotated[str, AfterValidator(classic_address)]
PublicKey = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{66}$")]
Url = Annotated[str, AfterValidator(_is_url)]


class ReconcilerSettings(ServiceSettings):
    """As environment variables: each name in capitals after `FILLPROOF_`."""

    xrpl_urls: Annotated[
        tuple[Url, ...],
        NoDecode,
        BeforeValidator(_split),
        AfterValidator(_different_servers),
        Field(min_length=1, repr=False),
    ]
    """Servers, comma separated: http(s) is JSON-RPC, ws(s) is WebSocket with a wake-up at each ledger."""
    accounts: Annotated[
        tuple[Address, ...],
        NoDecode,
        BeforeValidator(_split),
        AfterValidator(_no_repetition),
        Field(min_length=1),
    ]
    """The engine's accounts, comma separated."""
    network_id: int | None = Field(default=None, ge=0, lt=2**32)
    """The network that all servers must be on; default: the one that the first account's server names."""
    start_ledger: int | None = Field(default=None, gt=0)
    """Where to begin with an account that was not followed before; default: the newest validated ledger."""
    disappearance_timeout: float = Field(default=1.0, gt=0, le=30)
    """Seconds that the disappearances of a ledger may hold up its fills."""
    market_of_fills: bool = False
    """Whether the market is read for fills too (three requests for each order that ends); it always is for
    anomalies."""
    poll_seconds: float = Field(default=1.0, gt=0, le=60)
    """Seconds: the longest pause between two readings."""
    gap_patience: float = Field(default=300.0, ge=0)
    """Seconds until ledgers that no server has are left out as a history gap."""
    policy: Literal["hold", "presume_filled"] = "hold"
    """How a disappearance is treated that nothing explains; see docs/policies.md."""
    halt_after_unresolved: int = Field(default=0, ge=0)
    """Unexplained disappearances of an account that halt it until an operator resumes it; 0: none do."""
    halt_on_drift: bool = False
    """Whether a balance that its transactions do not explain halts an account."""
    balance_check_ledgers: int = Field(default=100, ge=0)
    """Ledgers between two checks of an account's balances against the server's; 0: they are not followed."""
    keep_proofs: bool = True
    """Whether what proves the ledgers is published to stream PROOFS; see docs/proof.md."""
    validator_lists: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    """Published lists of validators, comma separated: files, or URLs of their publishers' sites."""
    list_publishers: Annotated[
        tuple[PublicKey, ...], NoDecode, BeforeValidator(_split), AfterValidator(_no_repetition)
    ] = ()
    """Master keys of the publishers who are trusted, in hexadecimal; default: mainnet's known ones."""
    list_publishers_needed: int = Field(default=1, ge=1)
    """How many of them must confirm a ledger, each by its own list."""
    proof_anchor_ledgers: int = Field(default=256, ge=0)
    """Ledgers from an anchor in stream PROOFS to the next; 0: there are none."""
    whole_ledgers_from: int = Field(default=16, gt=0)
    """Accounts: from so many on each ledger is read whole, once, instead of each account's part of it. With a
    list of validators every ledger is."""
    confirm_by_servers: int = Field(default=2, ge=1)
    """Servers that must name a ledger's hash before it is committed, where so many keep up; 1: one."""
    confirm_seconds: float = Field(default=10.0, ge=0, le=60)
    """The longest wait for the confirmation of a ledger, by servers or by the validators of the lists."""
    commit_unconfirmed: bool | None = None
    """Whether a ledger is committed that nobody has confirmed in that time; it is counted and said. Default:
    no where a list of validators is configured, else yes."""
    requests_per_minute: Annotated[int, AfterValidator(_is_a_budget)] = Field(default=0, ge=0)
    """The most that each server is asked in any minute, shared fairly among the accounts; 0: no cap."""
    subjects_without_account: bool = False
    """Whether announcements are believed whose subject does not name the account; see docs/engine.md."""
    permission_ledger_seconds: float = Field(default=20.0, gt=0)
    """Seconds without a new ledger after which engines are told to stop; see docs/engine.md."""
    witness_directory: DirectoryPath | None = None
    """Where each account's newest committed ledger is remembered outside of the bus, over restarts; replicas
    may share it. None: a bus that is of an earlier moment as a whole is known only to a running replica."""
    replica_id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$", max_length=64)
    """The replica's name among the others; default: the host's name and a random end."""
    lease_seconds: int = Field(default=5, ge=2, le=60)
    """Seconds after its last renewal until a replica's accounts go to the others."""

    @property
    def commits_unconfirmed(self) -> bool:
        """Whether a ledger is committed that nobody has confirmed in time."""
        return not self.validator_lists if self.commit_unconfirmed is None else self.commit_unconfirmed

    @property
    def reads_whole_from(self) -> int:
        """From how many accounts on each ledger is read whole: a quorum confirms bytes, and nothing else."""
        return 1 if self.validator_lists else self.whole_ledgers_from

    @property
    def reads_only_whole(self) -> bool:
        """Whether a ledger that a server does not give whole is not read: nobody signs for anything else."""
        return bool(self.validator_lists) and not self.commits_unconfirmed

    @model_validator(mode="after")
    def _enough_publishers(self) -> Self:
        trusted = len(self.list_publishers or KNOWN_PUBLISHERS)
        if self.list_publishers_needed > trusted:
            raise ValueError(
                f"expected FILLPROOF_LIST_PUBLISHERS_NEEDED from 1 to {trusted}, as many as are trusted "
                f"(FILLPROOF_LIST_PUBLISHERS), found {self.list_publishers_needed}"
            )
        return self
