"""Pages of report jobs: one design for light and dark screens and for paper, without scripts."""

from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from scheduler.rules.phrases import plural


def render(template: str, **values: Any) -> str:
    """The page of a template with these values, escaped."""
    return _pages().get_template(template).render(**values)


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("scheduler.jobs"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    pages.filters["seconds"] = seconds
    pages.filters["moment"] = moment
    pages.filters["plural"] = plural
    return pages


def seconds(value: float | None) -> str:
    """A duration for people, in ms, s, min or h; "–" for None."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"
    return f"{minutes} min {rest:02} s" if rest else f"{minutes} min"


def moment(at: datetime) -> str:
    """A moment for people, with its zone."""
    return at.strftime("%Y-%m-%d %H:%M %Z")
