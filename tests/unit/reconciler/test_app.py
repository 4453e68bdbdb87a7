"""The reconciler's application holds all that its work is given."""

import inspect
from typing import get_args

from faststream.nats import NatsBroker

from reconciler.main import create_app, work


def test_every_parameter_of_the_work_is_in_the_applications_context() -> None:
    app = create_app()
    for name, parameter in inspect.signature(work).parameters.items():
        expected, *_ = get_args(parameter.annotation)
        assert isinstance(app.context.get(name), expected), name
    assert isinstance(app.broker, NatsBroker)
    assert app.context.get("broker") is app.broker
