"""An account may be written as a classic address or as an X-address; a typo is neither."""

import pytest
from xrpl.core.addresscodec import classic_address_to_xaddress

from ledger_client import classic_address

CLASSIC = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"


def test_a_classic_address_stays_as_it_is() -> None:
    assert classic_address(CLASSIC) == CLASSIC


@pytest.mark.parametrize("is_test_network", [False, True])
def test_an_x_address_is_understood(is_test_network: bool) -> None:  # noqa: FBT001 - a parameter of the case
    assert classic_address(classic_address_to_xaddress(CLASSIC, None, is_test_network)) == CLASSIC


@pytest.mark.parametrize("tag", [0, 7, 2**32 - 1])
def test_of_an_x_address_with_a_tag_the_classic_address_is_told(tag: int) -> None:
    tagged = classic_address_to_xaddress(CLASSIC, tag, is_test_network=False)
    with pytest.raises(ValueError, match=f"destination tag, '{tagged}'.* classic address is {CLASSIC}"):
        classic_address(tagged)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "r",
        "nonsense",
        CLASSIC.lower(),
        CLASSIC[:-1],
        CLASSIC.replace("9", "8", 1),
        f" {CLASSIC}",
        "sEdTM1uX8pu2do5XvTnutH6HsouMaM2",  # a secret seed
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "é" * 33,
    ],
)
def test_what_is_no_address_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="expected the classic address of an account"):
        classic_address(text)
