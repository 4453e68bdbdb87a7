"""Every setting of the services can be set in a deployment, and is explained where one looks for it."""

import re
from pathlib import Path

import pytest
from deployed_settings import CLASSES, variable
from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[2]
SECRET = {
    *("nats_url", "database_url", "owner_database_url", "grafana_reader_password", "metrics_reader_password"),
    "desk_password",
    *("checkpoint_signing_key", "operator_signing_key", "verifier_keys"),
}
FIXED = {"http_host", "http_port", "replica_id", "witness_directory"}
"""By the image; a replica's id has to differ from the others'."""


@pytest.mark.parametrize("settings", CLASSES)
def test_every_setting_is_in_the_deployment(settings: type[BaseSettings]) -> None:
    compose = (ROOT / "compose.yaml").read_text()
    secrets = {name for name in SECRET if f"target: fillproof_{name}" in compose}
    variables = set(re.findall(r"^      (FILLPROOF_\w+):|^  (FILLPROOF_\w+):", compose, re.MULTILINE))
    names = {found or in_anchor for found, in_anchor in variables}
    assert secrets == SECRET
    assert {variable(name) for name in settings.model_fields.keys() - SECRET - FIXED} <= names


def test_every_variable_is_explained() -> None:
    used = set(re.findall(r"FILLPROOF_\w+", (ROOT / "compose.yaml").read_text()))
    used |= set(re.findall(r"setting (FILLPROOF_\w+)", (ROOT / "deploy" / "secrets.sh").read_text()))
    ours = {name for name in used if "DEMO" not in name} - {"FILLPROOF_PROMETHEUS_URL"}
    explained = re.findall(
        r"^(?:# )?(?:e\.g\. )?(FILLPROOF_\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE
    )
    assert set(explained) == ours
