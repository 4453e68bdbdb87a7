"""What is printed for a terminal, as a picture that needs nothing else and is the same each time."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.terminal_theme import TerminalTheme

FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
WIDTH_OF_HEIGHT = 0.61
"""Of a character; browsers stretch each text to the width that it is given."""

THEME = TerminalTheme(
    (24, 27, 31),
    (216, 217, 218),
    [
        (24, 27, 31),
        (242, 73, 92),
        (115, 191, 105),
        (250, 222, 42),
        (87, 148, 242),
        (184, 119, 217),
        (95, 201, 201),
        (216, 217, 218),
    ],
)
"""Grafana's dark colors, by the terminal's eight."""

FORMAT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width}} {{height}}" role="img">
<title>{title}</title>
<style>
.{{unique_id}}-matrix {{{{ font-family: {font}; font-size: {{char_height}}px; white-space: pre; }}}}
{{styles}}
</style>
<defs>
<clipPath id="{{unique_id}}-clip-terminal">
<rect width="{{terminal_width}}" height="{{terminal_height}}"/>
</clipPath>
{{lines}}
</defs>
<rect width="100%" height="100%" rx="8" fill="{ground}"/>
<g transform="translate({{terminal_x}}, 16)">
{{backgrounds}}
<g class="{{unique_id}}-matrix">
{{matrix}}
</g>
</g>
</svg>
"""


def paper(width: int) -> Console:
    """Return a terminal of that many columns that keeps what is printed."""
    return Console(
        record=True,
        width=width,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        markup=False,
        highlight=False,
        legacy_windows=False,
    )


def picture(console: Console, *, name: str, title: str) -> str:
    """Return what was printed as SVG; `name` tells its parts from another picture's on the same page."""
    ground = THEME.background_color.hex
    template = FORMAT.format(title=title, font=FONT, ground=ground)
    drawn = console.export_svg(
        theme=THEME, code_format=template, font_aspect_ratio=WIDTH_OF_HEIGHT, unique_id=name
    )
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"
