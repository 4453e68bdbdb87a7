"""Lines that fit a terminal: the least important pieces are left out, and no word is ever cut.

A pipe or a file gets every piece on one line.
"""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.text import Text

_BETWEEN = "  "
_INDENT = "    "


class Piece(msgspec.Struct, frozen=True):
    """A part of a line, a word or a sentence, that is shown whole or not at all."""

    text: str
    drop: int = 0
    """Pieces with the highest number are left out first; those with 0 always stay."""
    style: str = ""


def fitted(pieces: Sequence[Piece], width: int | None) -> Text:
    """Return the pieces as one line of at most `width` columns; None: of any length.

    Where the pieces that always stay are too long together, they go on in indented lines; a sentence that is
    longer than a line is broken between its words.
    """
    kept = [piece for piece in pieces if piece.text]
    while width is not None and _length(kept) > width and any(piece.drop for piece in kept):
        last = max(range(len(kept)), key=lambda at: (kept[at].drop, at))
        del kept[last]
    line, column = Text(), 0
    for piece in kept:
        between = _BETWEEN
        for part in _parts(piece.text, width):
            if column and width is not None and column + len(between) + len(part) > width:
                line.append("\n" + _INDENT)
                column = len(_INDENT)
            elif column:
                line.append(between)
                column += len(between)
            line.append(part, style=piece.style)
            column += len(part)
            between = " "
    return line


def _parts(text: str, width: int | None) -> Sequence[str]:
    """Return what of a piece must stand on one line: all of it, or, where it is too long, each word."""
    if width is None or len(text) <= width - len(_INDENT):
        return (text,)
    first, *rest = text.split()
    return (text[: len(text) - len(text.lstrip())] + first, *rest)


def print_sentence(console: Console, sentence: str, style: str = "") -> None:
    """Print a sentence: broken between its words on a terminal, on one line elsewhere."""
    console.print(fitted([Piece(sentence, style=style)], width_of(console)), soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """Return the number and what is counted: `1 fill`, `2 fills`, `3 anomalies`."""
    if number == 1:
        return f"{number} {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def width_of(console: Console) -> int | None:
    """Return the columns that a line may take; None where nobody counts them: a pipe or a file."""
    return console.width if console.is_terminal else None


def _length(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.text) for piece in pieces) + len(_BETWEEN) * (len(pieces) - 1)
