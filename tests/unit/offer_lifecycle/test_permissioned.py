"""Offers in a permissioned domain: whether the owner was still inside."""

import pytest
from ledger_before import (
    CREDENTIAL,
    DOMAIN,
    HEADER,
    HIGH_DEEP_FREEZE,
    asked,
    judge,
    of_credential,
    of_domain,
    of_issuer,
    of_line,
    sells_usd,
    sells_xrp,
)
from made_ledger import OWNER, answer, usd

from offer_lifecycle import StateAnswer
from order_events import RemovalReason

PERMISSIONED = sells_usd(DomainID="D1")
HELD_UNTIL = HEADER.parent_close_time
"""The transaction's clock is the parent ledger's close."""


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([answer(DOMAIN, None)], RemovalReason.OUT_OF_DOMAIN),
        ([of_domain("rJudge")], RemovalReason.OUT_OF_DOMAIN),
        ([of_domain(OWNER)], RemovalReason.UNEXPLAINED),
        ([of_domain("rJudge", "rJudge")], RemovalReason.UNEXPLAINED),
        ([of_domain("rJudge", "rJudge"), answer(CREDENTIAL, None)], RemovalReason.OUT_OF_DOMAIN),
        ([of_domain("rJudge", "rJudge"), of_credential()], RemovalReason.UNEXPLAINED),
        ([of_domain("rJudge", "rJudge"), of_credential(flags=0)], RemovalReason.OUT_OF_DOMAIN),
        ([of_domain("rJudge", "rJudge"), of_credential(Expiration=HELD_UNTIL)], RemovalReason.UNEXPLAINED),
        (
            [of_domain("rJudge", "rJudge"), of_credential(Expiration=HELD_UNTIL - 1)],
            RemovalReason.OUT_OF_DOMAIN,
        ),
        ([of_domain("rJudge", "rOther", "rJudge"), of_credential()], RemovalReason.UNEXPLAINED),
    ],
    ids=[
        "no such domain",
        "a domain that accepts nothing",
        "the domain's own owner",
        "a credential that is not known",
        "no such credential",
        "an accepted credential",
        "a credential that its subject never accepted",
        "a credential at its Expiration",
        "a credential a second after it",
        "one of two credentials",
    ],
)
def test_only_who_holds_none_of_the_domains_credentials_is_outside(
    known: list[StateAnswer], expected: RemovalReason
) -> None:
    assert judge(PERMISSIONED, of_line("5"), of_issuer(), *known).reason is expected


def test_a_permissioned_offer_that_traded_was_inside_its_domain() -> None:
    traded = sells_usd(DomainID="D1", before={"TakerGets": usd("6"), "TakerPays": "12000000"})
    assert judge(traded, answer(DOMAIN, None)).reason is RemovalReason.UNEXPLAINED


def test_the_domain_is_asked_for_first_and_then_the_credentials_that_it_accepts() -> None:
    [domain, *_] = judge(PERMISSIONED).questions
    assert (domain.entry, domain.why) == (DOMAIN, "the credentials that the domain accepts")
    [credential, *_] = judge(PERMISSIONED, of_domain("rJudge", "rJudge")).questions
    assert (credential.entry, credential.why) == (CREDENTIAL, "the owner's credential for the domain")


def test_the_verdict_names_the_domain() -> None:
    verdict = judge(PERMISSIONED, answer(DOMAIN, None))
    assert verdict.rule == "out_of_domain"
    assert verdict.evidence == (
        "at the ledger before, the owner held no credential that the domain D1 accepts"
    )


def test_what_is_no_answer_about_a_domain_leaves_the_question() -> None:
    verdict = judge(PERMISSIONED, answer(DOMAIN, {"Owner": "rJudge", "AcceptedCredentials": ["any"]}))
    assert verdict.reason is RemovalReason.UNEXPLAINED
    assert DOMAIN in asked(verdict)


def test_who_may_not_receive_and_is_outside_too_is_deep_frozen_as_that_is_looked_at_first() -> None:
    node = sells_xrp(DomainID="D1")
    deep_frozen = of_line("5", HIGH_DEEP_FREEZE)
    assert judge(node, answer(DOMAIN, None), deep_frozen).reason is RemovalReason.FROZEN
