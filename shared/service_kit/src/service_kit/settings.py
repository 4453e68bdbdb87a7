"""Settings come from environment variables that begin with `FILLPROOF_`, secrets also from files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, SecretBytes, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from order_events.subjects import DEFAULT_ENGINE, engine_consumer
from service_kit.nats_urls import checked_urls

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "FILLPROOF_"
SECRETS_DIRECTORY = "FILLPROOF_SECRETS_DIRECTORY"
"""Names the directory of secrets: `fillproof_nats_url` in it counts where `FILLPROOF_NATS_URL` is not set."""
DEFAULT_SECRETS_DIRECTORY = "/run/secrets"
"""Where Docker mounts them."""
USAGE_STATUS = 2
"""The exit status of a process that was called wrongly."""
DUPLICATE_WINDOW_S = 30 * 60.0
"""Seconds for which a stream recognises an event id that it has seen."""
DAY_S = 24 * 60 * 60.0
GIB = 1024**3
_ENGINE = r"[a-z][a-z0-9_]*:[A-Za-z0-9]+(\+[A-Za-z0-9]+)*"


class ServiceSettings(BaseSettings):
    """What every service needs; a service adds its own fields in a subclass."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    nats_url: Annotated[str, AfterValidator(checked_urls)] = Field(
        default="nats://127.0.0.1:4222", repr=False
    )
    """Of one server, or of several of a cluster, comma separated."""
    """It may hold a password: a field without `repr` is shown nowhere."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65_535, description="0 for any free one")
    otlp_endpoint: str | None = Field(default=None, pattern=r"^https?://\S+$", repr=False)
    """Where traces go, as http://collector:4318 (OTLP over HTTP, extra `otel`); by default nowhere."""
    log_format: Literal["json", "plain"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class StreamSettings(BaseSettings):
    """How long and how much the streams keep (seconds, bytes) and on how many servers."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    # Of ORDERS and ENGINE the age ends before the bytes do, up to 30 accounts with 25,000 orders a day each
    orders_max_age: float = Field(default=7 * DAY_S, ge=DUPLICATE_WINDOW_S)
    orders_max_bytes: int = Field(default=20 * GIB, gt=0)
    engine_max_age: float = Field(default=7 * DAY_S, ge=DUPLICATE_WINDOW_S)
    engine_max_bytes: int = Field(default=8 * GIB, gt=0)
    engine_max_messages: int = Field(default=300_000, gt=0)
    """Announcements of one kind for one account: an engine that floods fills its own part alone."""
    dead_letter_max_age: float = Field(default=90 * DAY_S, ge=DUPLICATE_WINDOW_S)
    dead_letter_max_bytes: int = Field(default=GIB, gt=0)
    proofs_max_age: float = Field(default=7 * DAY_S, ge=DUPLICATE_WINDOW_S)
    proofs_max_bytes: int = Field(default=2 * GIB, gt=0)
    redelivery_max_age: float = Field(default=30 * DAY_S, ge=DUPLICATE_WINDOW_S)
    redelivery_max_bytes: int = Field(default=GIB, gt=0)
    checkpoints_max_bytes: int = Field(default=GIB, gt=0)
    """A checkpoint takes some 700 bytes; the stream is kept for ever."""
    stream_replicas: int = Field(default=1, ge=1, le=5)

    @model_validator(mode="after")
    def _majority(self) -> Self:
        if self.stream_replicas % 2 == 0:
            raise ValueError("stream_replicas must be odd: an even number adds no safety")
        return self


class EngineSettings(BaseSettings):
    """Which engine reads the events of which accounts: a consumer is made for each of them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    engines: str = Field(default="", pattern=rf"^({_ENGINE}(,{_ENGINE})*)?$")
    """As `desk:rAccount+rOther,arb:rThird`; empty: one engine, `engine`, has all accounts."""
    accounts: str = ""
    """The followed accounts, comma separated."""

    def consumers(self) -> dict[str, str]:
        """Return the account that is read through each consumer, by the consumer's name."""
        accounts = [one.strip() for one in self.accounts.split(",") if one.strip()]
        engines = dict(engine.split(":") for engine in self.engines.split(",") if engine)
        read = {name: listed.split("+") for name, listed in engines.items()} or {DEFAULT_ENGINE: accounts}
        return {
            engine_consumer(name, account): account for name, listed in read.items() for account in listed
        }


AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def load_settings(settings: type[AnySettings]) -> AnySettings:
    """Read settings from the environment and from secrets; what is wrong ends the process (2)."""
    secrets = Path(os.environ.get(SECRETS_DIRECTORY, DEFAULT_SECRETS_DIRECTORY))
    try:
        return settings(_secrets_dir=secrets if secrets.is_dir() else None)
    except ValidationError as error:
        problems = [_problem(settings, dict(found)) for found in error.errors()]
    except SettingsError as error:
        problems = [str(error)]
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    sys.exit(USAGE_STATUS)


def _problem(settings: type[BaseSettings], found: Mapping[str, Any]) -> str:
    if not found["loc"]:
        return f"settings: {found['msg']}"
    name = str(found["loc"][0])
    variable = f"{PREFIX}{name}".upper()
    if found["type"] == "missing":
        return f"{variable} is not set and has no default"
    field = settings.model_fields.get(name)
    secret = field is not None and (field.annotation in {SecretStr, SecretBytes} or not field.repr)
    value = "a secret value" if secret else repr(found["input"])
    wrong = found["msg"].removeprefix("Value error, ")
    if secret and "found" in wrong:  # it says itself what was found, without the value
        return f"{variable}: {wrong}"
    return f"{variable}: {wrong}; found {value}"
