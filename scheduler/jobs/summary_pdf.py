"""The job summary as PDF: A4 by ReportLab, with the chart and tables of the page. Pure except for
the fonts.

The font is DejaVu Sans if installed, else ReportLab's own, with Latin letters only. A character
without a glyph becomes a question mark; the page shows the character.
"""

import io
from collections.abc import Sequence
from html import escape
from typing import Any, Literal

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from scheduler.jobs import charts
from scheduler.jobs.pages import moment, seconds
from scheduler.jobs.summary import Line as SummaryLine
from scheduler.jobs.summary import Summary

REGULAR = "desk"
BOLD = "desk-bold"
_FONTS = (("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), ("Vera.ttf", "VeraBd.ttf"))
_WIDTH = A4[0] - 32 * mm - 12  # the frame keeps six points on each side
_CHART = 52 * mm
_COLOURS = {"ok": "#2f9e68", "failed": "#c02626", "late": "#c07510", "other": "#8a94a6"}
_LEGEND = {
    "ok": "succeeded",
    "failed": "failed or lost",
    "late": "missed or expired",
    "other": "skipped or not over",
}
_GRAY, _RULE, _RED, _AMBER = map(colors.HexColor, ("#5b667a", "#d5dae2", "#c02626", "#9a5b06"))


def as_pdf(summary: Summary) -> bytes:
    """The report as a PDF file."""
    _load_fonts()
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        title=summary.title,
        author="Beatdesk",
        leftMargin=16 * mm,
        rightMargin=16 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
    )
    period = f"{moment(summary.period.since)} to {moment(summary.period.until)}"
    story: list[Flowable] = [
        _text(summary.title, 16, bold=True),
        _text(period, 9, colour=_GRAY),
        Spacer(1, 5 * mm),
    ]
    story += [_totals(summary), Spacer(1, 6 * mm)]
    if summary.lines:
        story += [
            KeepTogether([_heading("When"), _chart(summary.bars)]),
            _heading("By schedule"),
            _schedules(summary),
        ]
    else:
        story.append(_text("Nothing ran in this time.", 10))
    if summary.tags:
        story.append(KeepTogether([_heading("By tag"), _tags(summary)]))
    document.build(story, onFirstPage=_foot, onLaterPages=_foot)
    return file.getvalue()


def _totals(summary: Summary) -> Table:
    """Six numbers in a row."""
    totals = summary.totals
    names = {
        "runs": "Runs",
        "succeeded": "Succeeded",
        "failed": "Failed",
        "missed": "Missed",
        "late": f"Late by over {seconds(summary.late_after)}",
        "skipped": "Skipped",
    }
    colour = {"failed": _RED, "missed": _AMBER, "late": _AMBER}
    heads = [_text(words, 7.5, colour=_GRAY) for words in names.values()]
    numbers = [
        _text(
            f"{totals[name]:,}",
            15,
            bold=True,
            colour=colour.get(name, colors.black) if totals[name] else colors.black,
        )
        for name in names
    ]
    table = Table([heads, numbers], colWidths=[_WIDTH / 6] * 6)
    table.setStyle(
        TableStyle(
            [
                ("BOX", (0, 0), (-1, -1), 0.5, _RULE),
                ("INNERGRID", (0, 0), (-1, -1), 0, colors.white),
                ("LINEBEFORE", (1, 0), (-1, -1), 0.5, _RULE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BOTTOMPADDING", (0, 1), (-1, 1), 8),
            ]
        )
    )
    return table


def _chart(parts: Sequence[charts.Part]) -> Drawing:
    """Stacked bars over time, with a legend below."""
    left = 10 * mm
    bottom = 12 * mm
    high = _CHART - bottom - 2 * mm
    step = (_WIDTH - left) / max(1, len(parts))
    most = charts.nice(max((sum(part.counts.values()) for part in parts), default=0))
    drawing = Drawing(_WIDTH, _CHART)
    for share in (0, 1, 2, 3, 4) if most >= 4 else (0, 4):
        y = bottom + high * share / 4
        drawing.add(Line(left, y, _WIDTH, y, strokeColor=_RULE, strokeWidth=0.4))
        drawing.add(_label(left - 4, y - 2.5, f"{most * share / 4:,.0f}", "end"))
    for place, part in enumerate(parts):
        x = left + place * step
        y = bottom
        for kind, count in part.counts.items():
            tall = high * count / most
            fill = colors.HexColor(_COLOURS[kind])
            drawing.add(_filled(x + step * 0.12, y, step * 0.76, tall, fill))
            y += tall
        drawing.add(_label(x + step / 2, bottom - 9, part.label, "middle"))
    for place, (kind, words) in enumerate(_LEGEND.items()):
        x = left + place * 40 * mm
        drawing.add(_filled(x, 2, 6, 6, colors.HexColor(_COLOURS[kind])))
        drawing.add(_label(x + 9, 2.5, words, "start"))
    return drawing


def _schedules(summary: Summary) -> Table:
    heads = [
        "Schedule",
        "Runs",
        "Failed",
        "Missed",
        "Skipped",
        "Late",
        "Median",
        "Usual",
        "Longest",
    ]
    rows = [
        [
            _named(line),
            *_marked(
                line.runs,
                *(getattr(line.counts, kind) for kind in ("failed", "missed", "skipped", "late")),
            ),
            *(
                _text(seconds(time), 8, right=True)
                for time in (line.counts.median, line.usual, line.counts.longest)
            ),
        ]
        for line in summary.lines
    ]
    return _table(heads, rows, [0.31, 0.075, 0.075, 0.08, 0.085, 0.065, 0.1, 0.1, 0.11])


def _tags(summary: Summary) -> Table:
    heads = ["Tag", "Schedules", "Runs", "Failed", "Missed", "Late"]
    rows = [
        [
            _text(tag.tag, 8, bold=True),
            _text(f"{tag.schedules:,}", 8, right=True),
            *_marked(tag.runs, tag.failed, tag.missed, tag.late),
        ]
        for tag in summary.tags
    ]
    return _table(heads, rows, [0.4, 0.12, 0.12, 0.12, 0.12, 0.12])


def _named(line: SummaryLine) -> Paragraph:
    """The schedule, its job and its tags, one below the other."""
    below = " · ".join([line.counts.job, *line.tags])
    name = line.counts.schedule or "not scheduled"
    shown = f'<font name="{BOLD}">{escape(_shown(name))}</font><br/><font size="7" color="#5b667a">'
    return Paragraph(f"{shown}{escape(_shown(below))}</font>", _style(8))


def _marked(*counts: int) -> list[Flowable]:
    """Numbers; the second is red and the third amber, unless they are 0."""
    marks = {1: _RED, 2: _AMBER}
    return [
        _text(
            f"{count:,}",
            8,
            right=True,
            colour=marks.get(place, colors.black) if count else colors.black,
        )
        for place, count in enumerate(counts)
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]], shares: Sequence[float]) -> Table:
    """A table whose head is repeated on each page."""
    first = [_text(head, 7, colour=_GRAY, right=place > 0) for place, head in enumerate(heads)]
    data: list[Any] = [first, *rows]
    table = Table(data, colWidths=[_WIDTH * share for share in shares], repeatRows=1)
    all_cells = ((0, 0), (-1, -1))
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", *all_cells, 0.4, _RULE),
                ("VALIGN", *all_cells, "TOP"),
                ("LEFTPADDING", *all_cells, 2),
                ("RIGHTPADDING", *all_cells, 3),
            ]
        )
    )
    return table


def _heading(words: str) -> Paragraph:
    return _text(words, 11, bold=True, space=4 * mm)


def _text(
    words: str,
    size: float,
    *,
    bold: bool = False,
    right: bool = False,
    colour: Any = colors.black,
    space: float = 0,
) -> Paragraph:
    style = _style(size, bold=bold, right=right, colour=colour, space=space)
    return Paragraph(escape(_shown(words)), style)


def _style(
    size: float,
    *,
    bold: bool = False,
    right: bool = False,
    colour: Any = colors.black,
    space: float = 0,
) -> ParagraphStyle:
    return ParagraphStyle(
        "desk",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.3,
        textColor=colour,
        alignment=2 if right else 0,
        spaceBefore=space,
        spaceAfter=1.5 * mm if space else 0,
        splitLongWords=True,
    )


def _filled(x: float, y: float, width: float, height: float, colour: Any) -> Rect:
    rectangle: Any = Rect(x, y, width, height)
    rectangle.fillColor = colour
    rectangle.strokeColor = None
    return rectangle  # type: ignore[no-any-return] # the stubs know no colours


def _label(x: float, y: float, words: str, anchor: Literal["start", "middle", "end"]) -> String:
    return String(x, y, words, fontName=REGULAR, fontSize=7, fillColor=_GRAY, textAnchor=anchor)


def _foot(canvas: Any, document: Any) -> None:
    canvas.setFont(REGULAR, 7)
    canvas.setFillColor(_GRAY)
    canvas.drawString(16 * mm, 10 * mm, _shown(document.title)[:110])
    canvas.drawRightString(A4[0] - 16 * mm, 10 * mm, f"Page {document.page}")


def _load_fonts() -> None:
    """Load the first installed pair of fonts."""
    if REGULAR in pdfmetrics.getRegisteredFontNames():
        return
    for regular, bold in _FONTS:
        try:
            pair = TTFont(REGULAR, regular), TTFont(BOLD, bold)
        except TTFError:
            continue
        for font in pair:
            pdfmetrics.registerFont(font)
        return


def _shown(words: str) -> str:
    """The text with a question mark for each character missing in the font."""
    font: Any = pdfmetrics.getFont(REGULAR)
    letters = font.face.charToGlyph
    return "".join(
        letter if ord(letter) in letters or letter.isspace() else "?" for letter in words
    )
