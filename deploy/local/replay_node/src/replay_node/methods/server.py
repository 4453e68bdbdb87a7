"""The server itself: its state, its fees."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from replay_node.fees import BASE_FEE, DROPS_PER_XRP, RESERVE_BASE, RESERVE_INCREMENT

if TYPE_CHECKING:
    from replay_node.request import Request
    from replay_node.session import Json

_LOAD_BASE = 256
_STATES = ("connected", "disconnected", "full", "syncing", "tracking")


def server_info(request: Request) -> Json:
    """Return the server's state for people: fees and reserves in XRP, as JSON numbers like the real node."""
    chain = request.node.chain
    validated = {
        "age": 0,
        "base_fee_xrp": BASE_FEE / DROPS_PER_XRP,
        "hash": chain.hash_of(chain.validated),
        "reserve_base_xrp": RESERVE_BASE // DROPS_PER_XRP,
        "reserve_inc_xrp": RESERVE_INCREMENT / DROPS_PER_XRP,
        "seq": chain.validated.ledger_index,
    }
    info = _common(request) | {
        "hostid": "replay",
        "last_close": {"converge_time_s": 0.1, "proposers": 0},
        "load": {"job_types": [{"in_progress": 1, "job_type": "clientWebsocket"}], "threads": 1},
        "load_factor": 1,
        "validated_ledger": validated,
        "validator_list": {"count": 0, "expiration": "unknown", "status": "unknown"},
    }
    return {"info": info}


def server_state(request: Request) -> Json:
    """Return the server's state for programs: fees and reserves in drops."""
    chain = request.node.chain
    validated = {
        "base_fee": BASE_FEE,
        "close_time": chain.validated.header["close_time"],
        "hash": chain.hash_of(chain.validated),
        "reserve_base": RESERVE_BASE,
        "reserve_inc": RESERVE_INCREMENT,
        "seq": chain.validated.ledger_index,
    }
    state = _common(request) | {
        "last_close": {"converge_time": 100, "proposers": 0},
        "load": {"job_types": [{"in_progress": 1, "job_type": "clientWebsocket"}], "threads": 1},
        "load_base": _LOAD_BASE,
        "load_factor": _LOAD_BASE,
        "load_factor_fee_escalation": _LOAD_BASE,
        "load_factor_fee_queue": _LOAD_BASE,
        "load_factor_fee_reference": _LOAD_BASE,
        "load_factor_server": _LOAD_BASE,
        "validated_ledger": validated,
        "validator_list_expires": 0,
    }
    return {"state": state}


def fee(request: Request) -> Json:
    """Return the fees of an idle server, in drops."""
    return {
        "current_ledger_size": "0",
        "current_queue_size": "0",
        "drops": {
            "base_fee": str(BASE_FEE),
            "median_fee": "5000",
            "minimum_fee": str(BASE_FEE),
            "open_ledger_fee": str(BASE_FEE),
        },
        "expected_ledger_size": "10000",
        "ledger_current_index": request.node.chain.current_index,
        "levels": {
            "median_level": "128000",
            "minimum_level": str(_LOAD_BASE),
            "open_ledger_level": str(_LOAD_BASE),
            "reference_level": str(_LOAD_BASE),
        },
        "max_queue_size": "200000",
    }


def ping(request: Request) -> Json:
    """Return who the server takes the caller for: on loopback, its administrator."""
    unlimited = {"unlimited": True} if request.subscription else {}
    return {"role": "admin", **unlimited}


def _common(request: Request) -> Json:
    node = request.node
    uptime = time.monotonic() - node.started
    microseconds = str(int(uptime * 1_000_000))
    network = {} if node.network_id is None else {"network_id": node.network_id}
    return {
        **network,
        "build_version": "2.3.0-b4",
        "complete_ledgers": node.chain.complete_ledgers(),
        "initial_sync_duration_us": "0",
        "io_latency_ms": 1,
        "jq_trans_overflow": "0",
        "node_size": "small",
        "peer_disconnects": "0",
        "peer_disconnects_resources": "0",
        "peers": 0,
        "ports": [{"port": str(node.port), "protocol": ["http", "ws"]}],
        "pubkey_node": "n9MJiAcjTMeczqcfPYjcXHLENek3VLwj78dARHtbBvhqfgRRuiiV",
        "pubkey_validator": "none",
        "server_state": "full",
        "server_state_duration_us": microseconds,
        "state_accounting": {
            name: {
                "duration_us": microseconds if name == "full" else "0",
                "transitions": "1" if name == "full" else "0",
            }
            for name in _STATES
        },
        "time": datetime.now(UTC).strftime("%Y-%b-%d %H:%M:%S.%f UTC"),
        "uptime": int(uptime),
        "validation_quorum": 0,
    }
