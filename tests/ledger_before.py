"""Offers that a transaction deleted, judged with what a server says of the ledger before."""

import made_ledger as made
from made_ledger import ISSUER, OWNER, answer, offer, tx, usd

from offer_lifecycle import Header, StateAnswer, Verdict, explain_removals, read_transaction

LINE = {"ripple_state": {"accounts": [OWNER, ISSUER], "currency": "USD"}}
ISSUER_ROOT, OWN_ROOT = {"account_root": ISSUER}, {"account_root": OWNER}
DOMAIN = {"permissioned_domain": "D1"}
CREDENTIAL = {"credential": {"subject": OWNER, "issuer": "rJudge", "credential_type": "4B5943"}}
GLOBAL_FREEZE, REQUIRE_AUTH = 0x0040_0000, 0x0004_0000
LOW_AUTH, HIGH_AUTH = 0x0004_0000, 0x0008_0000
LOW_FREEZE, HIGH_FREEZE = 0x0040_0000, 0x0080_0000
LOW_DEEP_FREEZE, HIGH_DEEP_FREEZE = 0x0200_0000, 0x0400_0000
CREDENTIAL_ACCEPTED = 0x0001_0000
"""Flags of ledger entries, as the ledger's own engine numbers them (lsf...)."""
HEADER: Header = made.header(101)


def sells_usd(**more: object) -> made.Raw:
    return offer("DeletedNode", 7, usd("5"), "10000000", **more)  # type: ignore[arg-type]


def sells_xrp(**more: object) -> made.Raw:
    return offer("DeletedNode", 7, "10000000", usd("5"), **more)  # type: ignore[arg-type]


def judge(node: made.Raw, *answers: StateAnswer, **more: object) -> Verdict:
    """Judge an offer that a stranger's order (unless told otherwise) deleted, by nothing else."""
    removal = tx("OfferCreate", [node], **more)  # type: ignore[arg-type]
    removed = explain_removals(
        read_transaction(removal, ledger_index=101),
        parent_close_time=HEADER.parent_close_time,
        reserves=made.RESERVES,
        answers=answers,
    )
    [(_, verdict)] = removed
    return verdict


def asked(verdict: Verdict) -> list[dict[str, object]]:
    return [question.entry for question in verdict.questions]


def of_line(value: str, flags: int = 0, *, owner_is_low: bool = True) -> StateAnswer:
    """The trust line's fields; `value` is the owner's balance."""
    low, high = (OWNER, ISSUER) if owner_is_low else (ISSUER, OWNER)
    written = value if owner_is_low else value.removeprefix("-") if value[0] == "-" else f"-{value}"
    fields = {
        "LedgerEntryType": "RippleState",
        "Balance": {"currency": "USD", "issuer": made.ZERO_ACCOUNT, "value": written},
        "LowLimit": {"currency": "USD", "issuer": low, "value": "0"},
        "HighLimit": {"currency": "USD", "issuer": high, "value": "0"},
        "Flags": flags,
    }
    return answer(LINE, fields)


def of_issuer(flags: int = 0) -> StateAnswer:
    return answer(ISSUER_ROOT, {"Account": ISSUER, "Balance": "1", "Flags": flags, "OwnerCount": 0})


def of_owner(drops: int, owners: int) -> StateAnswer:
    return answer(OWN_ROOT, {"Account": OWNER, "Balance": str(drops), "OwnerCount": owners})


def of_domain(owner: str = "rJudge", *accepted: str) -> StateAnswer:
    credentials = [{"Credential": {"Issuer": issuer, "CredentialType": "4B5943"}} for issuer in accepted]
    return answer(DOMAIN, {"Owner": owner, "AcceptedCredentials": credentials})


def of_credential(flags: int = CREDENTIAL_ACCEPTED, **more: object) -> StateAnswer:
    return answer(CREDENTIAL, {"Subject": OWNER, "Issuer": "rJudge", "Flags": flags, **more})
