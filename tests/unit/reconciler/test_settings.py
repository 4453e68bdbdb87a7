"""What the reconciler is told from outside, and what it says to nonsense."""

import pytest

from reconciler.settings import ReconcilerSettings
from service_kit import load_settings

MAKER, TAKER = "rNikaWcBTVTE7MQNZXWiA9uDpoJebiwvPB", "rHEYhcMLsmTJFPwcbPkNY11L7aM2r2iSD6"


@pytest.fixture(autouse=True)
def _good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILLPROOF_XRPL_URLS", "wss://one.example, http://127.0.0.1:5005/")
    monkeypatch.setenv("FILLPROOF_ACCOUNTS", f"{MAKER},{TAKER}")


def test_lists_are_separated_by_commas() -> None:
    settings = load_settings(ReconcilerSettings)
    assert settings.xrpl_urls == ("wss://one.example", "http://127.0.0.1:5005/")
    assert settings.accounts == (MAKER, TAKER)
    assert settings.start_ledger is None


def test_by_default_what_nothing_explains_is_held_and_halts_nothing() -> None:
    settings = load_settings(ReconcilerSettings)
    assert (settings.policy, settings.halt_after_unresolved, settings.halt_on_drift) == ("hold", 0, False)
    assert settings.balance_check_ledgers == 100


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("FILLPROOF_ACCOUNTS", MAKER[:-1] + "C", "its checksum does not fit"),
        ("FILLPROOF_ACCOUNTS", "", "at least 1"),
        ("FILLPROOF_ACCOUNTS", f"{MAKER},{MAKER}", "expected each value once"),
        ("FILLPROOF_XRPL_URLS", "ftp://one.example", "found one with another scheme"),
        ("FILLPROOF_XRPL_URLS", " , ", "at least 1"),
        ("FILLPROOF_START_LEDGER", "0", "greater than 0"),
        ("FILLPROOF_START_LEDGER", "soon", "valid integer"),
        ("FILLPROOF_DISAPPEARANCE_TIMEOUT", "-1", "greater than 0"),
        ("FILLPROOF_POLL_SECONDS", "900", "less than or equal to 60"),
        ("FILLPROOF_REQUESTS_PER_MINUTE", "9", "0 for no cap, or at least 10"),
        ("FILLPROOF_CONFIRM_BY_SERVERS", "0", "greater than or equal to 1"),
        ("FILLPROOF_CONFIRM_SECONDS", "900", "less than or equal to 60"),
        ("FILLPROOF_POLICY", "guess", "'hold' or 'presume_filled'"),
        ("FILLPROOF_HALT_AFTER_UNRESOLVED", "-1", "greater than or equal to 0"),
        ("FILLPROOF_HALT_ON_DRIFT", "maybe", "valid boolean"),
        ("FILLPROOF_BALANCE_CHECK_LEDGERS", "often", "valid integer"),
        ("FILLPROOF_WHOLE_LEDGERS_FROM", "0", "greater than 0"),
        ("FILLPROOF_LIST_PUBLISHERS", "ED00", "should match pattern"),
        ("FILLPROOF_LIST_PUBLISHERS_NEEDED", "4", "from 1 to 3, as many as are trusted"),
        ("FILLPROOF_PROOF_ANCHOR_LEDGERS", "-1", "greater than or equal to 0"),
    ],
)
def test_nonsense_ends_the_process_with_status_2_and_the_name_of_the_variable(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    complaint: str,
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as exit_:
        load_settings(ReconcilerSettings)
    assert exit_.value.code == 2
    said = capsys.readouterr().err
    assert variable in said
    assert complaint in said


@pytest.mark.parametrize("variable", ["FILLPROOF_XRPL_URLS", "FILLPROOF_ACCOUNTS"])
def test_what_must_be_set_is_named_when_it_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    monkeypatch.delenv(variable)
    with pytest.raises(SystemExit):
        load_settings(ReconcilerSettings)
    assert f"{variable} is not set" in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["FILLPROOF_XRPL_URLS", "FILLPROOF_NATS_URL", "FILLPROOF_OTLP_ENDPOINT"])
@pytest.mark.parametrize("url", ["wss//me:t0psecret@one.example", "htp://one.example/t0psecret", "t0psecret"])
def test_a_mistyped_url_is_not_shown_for_it_may_hold_a_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, url: str
) -> None:
    monkeypatch.setenv(variable, url)
    with pytest.raises(SystemExit):
        load_settings(ReconcilerSettings)
    said = capsys.readouterr().err
    assert variable in said
    assert "t0psecret" not in said


def test_a_server_named_twice_is_refused_without_its_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FILLPROOF_XRPL_URLS", "wss://one.example/t0psecret,wss://one.example/t0psecret/")
    with pytest.raises(SystemExit):
        load_settings(ReconcilerSettings)
    said = capsys.readouterr().err
    assert "expected each value once" in said
    assert "t0psecret" not in said


def test_settings_written_out_show_no_url() -> None:
    assert "one.example" not in repr(load_settings(ReconcilerSettings))
