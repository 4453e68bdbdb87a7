"""Charts of the page, drawn as SVG: the error of a position over time, and histograms."""

from collections.abc import Sequence
from decimal import Decimal
from html import escape

from console.compare.position import PositionStep
from console.compare.screen import amount

_WIDTH, _HEIGHT, _EDGE = 640, 160, 8
_BINS = 24


def step_line(steps: Sequence[PositionStep]) -> str:
    """Draw how an error grew: each step is a finding, and leads to it."""
    times = [step.time.timestamp() for step in steps if step.time is not None]
    start, span = times[0], max(times[-1] - times[0], 1.0)
    values = [Decimal(0), *(step.after for step in steps)]
    low, high = min(values), max(values)

    def x(time: float) -> float:
        return _EDGE + (time - start) / span * (_WIDTH - 2 * _EDGE)

    def y(value: Decimal) -> float:
        return _EDGE + float((high - value) / ((high - low) or 1)) * (_HEIGHT - 2 * _EDGE)

    path, marks, before = [f"M{_EDGE},{y(Decimal(0)):.1f}"], [], Decimal(0)
    for step, time in zip(steps, times, strict=True):
        path.append(f"H{x(time):.1f}V{y(step.after):.1f}")
        title = escape(f"{step.time:%Y-%m-%d %H:%M:%S} {amount(step.change)}: then {amount(step.after)}")
        marks.append(
            f'<a href="#{step.finding}"><circle cx="{x(time):.1f}" cy="{y(step.after):.1f}" r="5">'
            f"<title>{title}</title></circle></a>"
        )
        before = step.after
    path.append(f"H{_WIDTH - _EDGE}")
    label = escape(f"from 0 to {amount(before)}")
    zero = f'<line class="zero" x1="0" x2="{_WIDTH}" y1="{y(Decimal(0)):.1f}" y2="{y(Decimal(0)):.1f}"/>'
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{zero}'
        f'<path class="line" d="{"".join(path)}"/>{"".join(marks)}</svg>'
    )


def histogram(values: Sequence[Decimal], marked: Sequence[Decimal]) -> str:
    """Draw how often values occur, and beside them how often the marked ones among them do.

    The outermost hundredth on each side stands in the first and the last column.
    """
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 100], ordered[-1 - len(ordered) // 100]
    step = ((high - low) or Decimal(1)) / _BINS
    all_bins, marked_bins = (_binned(part, low, step) for part in (values, marked))
    top = max(all_bins)
    width = _WIDTH / _BINS
    bars = []
    for number, (count, called) in enumerate(zip(all_bins, marked_bins, strict=True)):
        title = escape(f"from {amount(low + number * step)}: {called} of {count}")
        for kind, many in (("all", count), ("marked", called)):
            tall = (_HEIGHT - 2 * _EDGE) * many / top
            bars.append(
                f'<rect class="{kind}" x="{number * width + 1:.1f}" y="{_HEIGHT - _EDGE - tall:.1f}" '
                f'width="{width - 2:.1f}" height="{tall:.1f}"><title>{title}</title></rect>'
            )
    ends = f'<p class="ends"><span>{amount(low)}</span><span>{amount(high)}</span></p>'
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="histogram">{"".join(bars)}</svg>{ends}'
    )


def _binned(values: Sequence[Decimal], low: Decimal, step: Decimal) -> list[int]:
    bins = [0] * _BINS
    for value in values:
        bins[min(_BINS - 1, max(0, int((value - low) / step)))] += 1
    return bins
