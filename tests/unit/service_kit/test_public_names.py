"""Public names of `service_kit`, and one-shot steps and commands that start without FastStream."""

import subprocess
import sys

import pytest

import service_kit

STEPS = ("audit_writer.prepare", "console.bus_connection", "console.stack", "service_kit.provision")


def test_every_public_name_can_be_had_and_no_other() -> None:
    assert all(getattr(service_kit, name) is not None for name in service_kit.__all__)
    with pytest.raises(AttributeError, match="'service_kit' has no attribute 'nothing'"):
        _ = service_kit.nothing


def test_a_function_is_named_like_no_module_which_would_take_its_place() -> None:
    from service_kit import serving  # noqa: PLC0415 - imported before the name is asked for

    assert service_kit.run is serving.run


def test_commands_and_one_shot_steps_import_no_faststream() -> None:
    program = f"import sys, {', '.join(STEPS)}; print([one for one in sys.modules if one == 'faststream'])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
