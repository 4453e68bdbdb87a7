"""Settings say what is wrong with which variable, and end the process with status 2."""

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from service_kit import EngineSettings, ServiceSettings, StreamSettings, load_settings
from service_kit.nats_urls import addresses_of, inbox_of, servers_of


class DatabaseSettings(ServiceSettings):
    database_url: SecretStr
    accounts: tuple[str, ...] = ()


def refused(capsys: pytest.CaptureFixture[str], settings: type[BaseSettings]) -> str:
    with pytest.raises(SystemExit) as ended:
        load_settings(settings)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_settings_have_defaults_that_stay_on_the_loopback_interface() -> None:
    settings = load_settings(ServiceSettings)
    assert (settings.nats_url, settings.http_host) == ("nats://127.0.0.1:4222", "127.0.0.1")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILLPROOF_NATS_URL", "nats://bus:4333")
    monkeypatch.setenv("FILLPROOF_HTTP_PORT", "8080")
    settings = load_settings(ServiceSettings)
    assert (settings.nats_url, settings.http_port) == ("nats://bus:4333", 8080)


def test_every_wrong_variable_is_named_with_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FILLPROOF_NATS_URL", "http://bus")
    monkeypatch.setenv("FILLPROOF_HTTP_PORT", "65536")
    first, second = refused(capsys, ServiceSettings).splitlines()
    assert first.startswith("FILLPROOF_NATS_URL: ")
    assert first.endswith("found one without nats:// or without a host")  # a password may stand in it
    assert second == "FILLPROOF_HTTP_PORT: Input should be less than or equal to 65535; found '65536'"


def test_a_missing_variable_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, DatabaseSettings) == "FILLPROOF_DATABASE_URL is not set and has no default\n"


def test_a_list_that_is_not_json_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FILLPROOF_ACCOUNTS", "not json")
    assert "accounts" in refused(capsys, DatabaseSettings)


def test_streams_must_outlive_the_window_in_which_they_drop_duplicates(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FILLPROOF_ORDERS_MAX_AGE", "60")
    assert refused(capsys, StreamSettings).startswith("FILLPROOF_ORDERS_MAX_AGE: ")


def test_an_even_number_of_replicas_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FILLPROOF_STREAM_REPLICAS", "2")
    assert "stream_replicas must be odd" in refused(capsys, StreamSettings)


def test_each_engine_reads_its_accounts_and_one_engine_reads_all_where_none_is_named() -> None:
    named = EngineSettings(engines="desk:rA+rB,arb:rC", accounts="rA,rB,rC,rD")
    assert named.consumers() == {"desk-rA": "rA", "desk-rB": "rB", "arb-rC": "rC"}
    assert EngineSettings(accounts="rA, rB").consumers() == {"engine-rA": "rA", "engine-rB": "rB"}
    assert EngineSettings().consumers() == {}


@pytest.mark.parametrize("engines", ["desk", "Desk:rA", "desk:", "desk:rA,", "desk:rA:rB", "desk:r.A"])
def test_an_engine_that_is_named_wrongly_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], engines: str
) -> None:
    monkeypatch.setenv("FILLPROOF_ENGINES", engines)
    assert "FILLPROOF_ENGINES" in refused(capsys, EngineSettings)


def test_the_bus_may_be_a_list_of_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILLPROOF_NATS_URL", "nats://u:p@one:4222,tls://u:p@two:4222, nats://u:p@three")
    urls = load_settings(ServiceSettings).nats_url
    assert servers_of(urls) == ["nats://u:p@one:4222", "tls://u:p@two:4222", "nats://u:p@three"]
    assert addresses_of(urls) == [("one", 4222), ("two", 4222), ("three", 4222)]
    assert inbox_of(urls) == "_INBOX_u"


@pytest.mark.parametrize("urls", ["nats://one,", "nats://one,http://two", "nats://one nats://two"])
def test_a_list_of_servers_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], urls: str
) -> None:
    monkeypatch.setenv("FILLPROOF_NATS_URL", urls)
    assert "FILLPROOF_NATS_URL" in refused(capsys, ServiceSettings)
