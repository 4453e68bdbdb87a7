"""`fillproof`: what happened to every order, with proof."""

from importlib import import_module
from importlib.metadata import version as installed_version
from typing import Annotated, cast

import typer
from typer.core import TyperCommand, TyperGroup

from console.invocation import PROGRAM

COMMANDS = {
    "replay": "console.commands.replay:replay_command",
    "demo": "console.commands.demo:demo_command",
    "run": "console.commands.run:run_command",
    "doctor": "console.commands.doctor:doctor_command",
    "status": "console.commands.status:status_command",
    "orders": "console.commands.orders:orders_command",
    "tail": "console.commands.tail:tail_command",
    "rebuild": "console.commands.rebuild:rebuild_command",
    "verify": "console.commands.verify:verify_command",
    "check-row": "console.commands.check_row:check_row_command",
    "failover": "console.commands.failover:failover_command",
    "refill": "console.commands.refill:refill_command",
    "dead-letters": "console.commands.dead_letters:dead_letters_command",
    "explain": "console.commands.explain:explain_command",
    "compare": "console.compare.command:compare_command",
    "resume": "console.resuming:resume_command",
    "ack": "console.desk:ack_command",
    "record": "console.record:record_command",
    "prove": "console.prove:prove_command",
    "check": "console.check:check_command",
}
"""Each command and the function that is it, in the order in which `--help` shows them."""


EXIT_STATUSES = (
    "Exit statuses of all commands: 0 done, and well; 1 failed, or something is wrong; 2 bad input, or "
    "nobody answers; 3, 4, 5 as the command says above; 130 Ctrl-C; 143 TERM."
)
"""The one table, in the help of every command."""


class CommandsOnDemand(TyperGroup):
    """The commands, of which each is loaded when it is called: loading all of them takes a second."""

    def list_commands(self, _: object) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, _: object, cmd_name: str) -> TyperCommand | None:
        """Return the command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name].split(":")
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(cmd_name, epilog=EXIT_STATUSES)(getattr(import_module(module), function))
        return cast("TyperCommand", typer.main.get_command(single))


app = typer.Typer(
    cls=CommandsOnDemand,
    help=__doc__,
    epilog=EXIT_STATUSES,
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(help=__doc__)
def main_options(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False
) -> None:
    """Take the options that stand before a command."""
    if version:
        typer.echo(f"{PROGRAM} {installed_version('fillproof-console')}")
        raise typer.Exit
