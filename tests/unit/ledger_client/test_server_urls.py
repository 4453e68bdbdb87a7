"""A server's name shows scheme, host and port; nothing else of a URL is ever shown, whole or mistyped."""

import pytest

from ledger_client import connect, read_server_url, server_name

TOKEN = "t0psecret"  # noqa: S105 - it is none


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("wss://one.example:51233/", "wss://one.example:51233"),
        ("http://127.0.0.1:5005", "http://127.0.0.1:5005"),
        ("ws://[::1]:6006", "ws://[::1]:6006"),
        ("https://One.Example", "https://one.example"),
    ],
)
def test_a_plain_url_is_its_own_name(url: str, name: str) -> None:
    assert server_name(url) == name


@pytest.mark.parametrize(
    "url",
    [
        f"wss://user:{TOKEN}@one.example:51233/",
        f"wss://{TOKEN}@one.example:51233",
        f"wss://one.example:51233/{TOKEN}",
        f"wss://one.example:51233/v1/{TOKEN}/xrpl",
        f"wss://one.example:51233/?key={TOKEN}",
    ],
)
def test_what_may_be_secret_is_a_digest_in_the_name(url: str) -> None:
    name = server_name(url)
    assert name.startswith("wss://one.example:51233#")
    assert TOKEN not in name
    assert name == server_name(url)
    assert name != server_name(url.replace(TOKEN, "other"))


MISTYPED = [
    f"wss://user:{TOKEN}/x@one.example",
    f"wss://user:{TOKEN}#x@one.example",
    f"wss://user:12?{TOKEN}@one.example",
    f"wss://user:12#{TOKEN}@one.example",
    f"htps://one.example/{TOKEN}",
    f"{TOKEN}@one.example",
    f"wss:/one.example/{TOKEN}",
    f"wss://one.example:{TOKEN}",
    f"wss://one.example/{TOKEN} wss://two.example",
    f"wss://[one.example/{TOKEN}",
    f"wss://one.example/{TOKEN}\n",
    TOKEN,
]


@pytest.mark.parametrize("url", MISTYPED)
def test_a_mistyped_url_is_refused_without_being_shown(url: str) -> None:
    for use in (read_server_url, server_name, connect):
        with pytest.raises(ValueError, match="expected a URL as https://HOST:PORT") as error:
            use(url)
        assert TOKEN not in str(error.value)
        assert error.value.__cause__ is None
