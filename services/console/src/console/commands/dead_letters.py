"""`fillproof dead-letters`: messages that were set aside, listed or sent again."""

import typer

from console.ending import FAILED, explained, refuse
from console.options import DEFAULT_NATS, EveryLetter, LetterIds, LettersAsJson, NatsUrl, Resend


def dead_letters_command(
    ids: LetterIds = None,
    *,
    nats: NatsUrl = DEFAULT_NATS,
    resend: Resend = False,
    every: EveryLetter = False,
    as_json: LettersAsJson = False,
) -> None:
    """List the messages that were set aside, or give those of the audit writer to it again after a fix.

    Exit status: 0 done; 1 something sent again was refused again or is not
    taken yet; 2 bad input, no bus, or no such letter.

    Example: fillproof dead-letters --resend 3 4
    """
    from console.dead_letters import find, resendable, send_again, show

    wanted = ids or []
    if resend and bool(wanted) == every:
        refuse("expected what to send again: --resend ID..., or --resend --all")
    if every and not resend:
        refuse("expected --all with --resend: without it, all are listed")
    with explained():
        letters = find(nats, wanted)
        if not resend:
            show(letters, as_json=as_json)
        elif not send_again(nats, resendable(letters, wanted), as_json=as_json):
            raise typer.Exit(FAILED)
