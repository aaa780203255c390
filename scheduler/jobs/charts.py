"""Charts as SVG inside of a page, without scripts. Colours are classes, so dark pages and paper
have colours of their own. Pure.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH = 900
HEIGHT = 220
LEFT = 48
TOP = 10
BOTTOM = 26
ROW = 30
NAME_WIDTH = 230
WORDS_WIDTH = 230
LONGEST_NAME = 34
SMALL_WIDTH = 360
SMALL_HEIGHT = 64


class Part(NamedTuple):
    """One bar of the chart over time: its label (may be empty), its name in the tooltip, and the
    counts by colour.
    """

    label: str
    name: str
    counts: dict[str, int]


class Compared(NamedTuple):
    """One line of the chart of durations, in seconds."""

    name: str
    now: float
    usual: float | None
    words: str


def over_time(parts: Sequence[Part], title: str) -> str:
    """SVG with a stacked bar for each part; the page adds the legend."""
    most = nice(max((sum(part.counts.values()) for part in parts), default=0))
    high = HEIGHT - TOP - BOTTOM
    step = (WIDTH - LEFT) / max(1, len(parts))
    drawn = [
        _grid(most * share / 4, TOP + high * (4 - share) / 4)
        for share in range(5)
        if most >= 4 or share in (0, 4)
    ]
    for place, part in enumerate(parts):
        x = LEFT + place * step
        base = float(TOP + high)
        counts_text = (
            ", ".join(f"{count} {kind}" for kind, count in part.counts.items() if count)
            or "nothing"
        )
        bars = []
        for kind, count in part.counts.items():
            tall = high * count / most
            base -= tall
            if count:
                shape = (
                    f'x="{x + step * 0.12:.1f}" y="{base:.1f}" '
                    f'width="{step * 0.76:.1f}" height="{tall:.1f}"'
                )
                bars.append(f'<rect class="f-{kind}" {shape}/>')
        drawn.append(f"<g><title>{escape(part.name)}: {counts_text}</title>{''.join(bars)}</g>")
        if part.label:
            drawn.append(
                f'<text x="{x + step / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
                f"{escape(part.label)}</text>"
            )
    return _svg(HEIGHT, title, drawn)


def compared(lines: Sequence[Compared], title: str) -> str:
    """SVG with a bar for each line, over an outline of the usual duration."""
    most = max((max(line.now, line.usual or 0) for line in lines), default=0) or 1
    wide = WIDTH - NAME_WIDTH - WORDS_WIDTH
    drawn = []
    for place, line in enumerate(lines):
        y = place * ROW + 6
        name = line.name if len(line.name) <= LONGEST_NAME else f"{line.name[: LONGEST_NAME - 1]}…"
        drawn.append(f'<text class="name" x="0" y="{y + 13}">{escape(name)}</text>')
        if line.usual is not None:
            width = max(1.0, wide * line.usual / most)
            drawn.append(
                f'<rect class="f-usual" x="{NAME_WIDTH}" y="{y}" '
                f'width="{width:.1f}" height="18" rx="2"/>'
            )
        width = max(1.0, wide * line.now / most)
        drawn.append(
            f'<rect class="f-now" x="{NAME_WIDTH}" y="{y + 5}" '
            f'width="{width:.1f}" height="8" rx="1"/>'
        )
        drawn.append(
            f'<text x="{WIDTH}" y="{y + 13}" text-anchor="end">{escape(line.words)}</text>'
        )
    return _svg(len(lines) * ROW + 6, title, drawn)


def histogram(bars: Sequence[tuple[str, int]], title: str) -> str:
    """SVG of small bars side by side, from (name in the tooltip, height) pairs."""
    most = max((count for _, count in bars), default=0) or 1
    step = SMALL_WIDTH / max(1, len(bars))
    drawn = []
    for place, (name, count) in enumerate(bars):
        tall = max(1.0, SMALL_HEIGHT * count / most) if count else 0
        shape = (
            f'x="{place * step:.1f}" y="{SMALL_HEIGHT - tall:.1f}" '
            f'width="{step - 1:.1f}" height="{tall:.1f}"'
        )
        drawn.append(f'<g><title>{escape(name)}</title><rect class="f-now" {shape}/></g>')
    return _svg(SMALL_HEIGHT, title, drawn, SMALL_WIDTH)


def nice(most: int) -> int:
    """The end of an axis for values up to `most`: a round number divisible by four, or for `most`
    up to 4 the number itself, at least 1.
    """
    if most <= 4:
        return max(1, most)
    size = 1
    while True:
        for step in (4, 8, 12, 20, 40):
            if step * size >= most:
                return step * size
        size *= 10


def _grid(value: float, y: float) -> str:
    line = f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}"/>'
    return f'{line}<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:,.0f}</text>'


def _svg(height: int, title: str, drawn: Sequence[str], width: int = WIDTH) -> str:
    shape = f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {shape}>{"".join(drawn)}</svg>'
