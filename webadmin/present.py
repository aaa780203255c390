"""Rows as words, colours and masked arguments. Pure: no request, no clock, no store.

HTML is left to the templates, with autoescape on.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from scheduler.events.bounds import masked, masked_arguments, masked_text
from scheduler.rules.model.run_states import RunGroup, RunState
from scheduler.rules.phrases import elapsed, percent

DASH = "–"
WRAPPED = 60
"""Shortest length of a line, in characters, that counts as wrapped by the source's width."""

OWN_LINE = re.compile(r"\s|[-*•>:]|\d+[.)]\s")
"""The beginning of a separate line: an indent, a list item, a field."""


@dataclass(frozen=True)
class Look:
    """The display of a state: words and icon beside the colour."""

    words: str
    colour: str
    icon: str
    live: bool = False
    group: RunGroup | None = None
    """The group of the state; None for a state from a later version."""

    shows_error: bool = False
    is_without_run: bool = False


STATES = {
    state.value: Look(
        state.label,
        state.colour,
        state.icon,
        live=not state.is_final,
        group=state.group,
        shows_error=state.shows_error,
        is_without_run=state.is_without_run,
    )
    for state in RunState
}

TRIGGERS = {
    "schedule": "by its schedule",
    "manual": "by hand",
    "backfill": "by a backfill",
    "rerun": "again, by hand",
    "api": "by a program",
}


def state_look(state: str) -> Look:
    """Return the display of a state; an unknown state is shown by name."""
    return STATES.get(state, Look(state.capitalize() or "Unknown", "secondary", "help-circle"))


def state_words(state: str) -> str:
    """Return the label of a state."""
    return state_look(state).words


def iso(moment: datetime | None) -> str:
    """Return the moment by RFC 3339 in UTC with `Z`, to the millisecond; empty for None."""
    if moment is None:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def absolute(moment: datetime | None) -> str:
    """Return the moment with the zone: `2026-11-21 06:00:00 UTC`; a dash for None."""
    return DASH if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def relative(moment: datetime | None, now: datetime) -> str:
    """Return the distance from `now` in words: `in 4 min`, `3 h ago`; a dash for None."""
    if moment is None:
        return DASH
    away = (moment - now).total_seconds()
    if abs(away) < 1:
        return "now"
    words = rough(abs(away))
    return f"in {words}" if away > 0 else f"{words} ago"


def due(moment: datetime | None, now: datetime) -> str:
    """Return the distance of a tick from `now` in words: `in 4 min`, `due 3 h ago`."""
    words = relative(moment, now)
    return f"due {words}" if words.endswith(" ago") else words


def rough(seconds: float) -> str:
    """Return a length of time, in seconds, in a single unit: `45 s`, `4 min`, `3 h`, `12 d`."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= (2 * length if unit == "d" else length):
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def duration(seconds: float | None) -> str:
    """Return a length of time, given in seconds, in words: `12 ms`, `1.84 s`; a dash for None."""
    return DASH if seconds is None else elapsed(seconds)


def share(part: float | None) -> str:
    """Return a share from 0 to 1 in percent: `96 %`; a dash for None."""
    return DASH if part is None else percent(part)


def count(number: float | None) -> str:
    """Return a rounded number with thin spaces between thousands; a dash for None."""
    return DASH if number is None else f"{number:,.0f}".replace(",", "\u202f")


def size(number: int | None) -> str:
    """Return a size, given in bytes, in B, kB or MB; a dash for None."""
    if number is None:
        return DASH
    if number < 1000:
        return f"{number} B"
    return f"{number / 1000:.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"


def first_line(text: str, most: int = 160) -> str:
    """Return the first line, cut to `most` characters, with passwords masked."""
    line = masked_text(text.strip().partition("\n")[0])
    return line if len(line) <= most else line[: most - 1] + "…"


def unwrapped(text: str) -> str:
    """Return a docstring without the line breaks of wrapping at the source's width."""
    lines: list[str] = []
    before = ""
    for line in text.splitlines():
        if len(before) >= WRAPPED and line.strip() and not OWN_LINE.match(line):
            lines[-1] += " " + line
        else:
            lines.append(line)
        before = line
    return "\n".join(lines)


def pretty(value: Any) -> str:
    """Return indented JSON for reading, secrets masked."""
    return json.dumps(masked(value), indent=2, ensure_ascii=False, default=str)


def pretty_arguments(args: Sequence[Any], parameters: Sequence[str]) -> str:
    """Return positional arguments as indented JSON; secrets are masked by the parameters' names."""
    return json.dumps(masked_arguments(args, parameters), indent=2, ensure_ascii=False, default=str)


@dataclass(frozen=True)
class Step:
    """A step of a run's life, and the gap since the previous step."""

    name: str
    at: datetime | None
    gap: timedelta | None
    hint: str


def steps(
    tick: datetime | None,
    queued: datetime | None,
    received: datetime | None,
    started: datetime | None,
    finished: datetime | None,
) -> list[Step]:
    """Return the steps of a run's life in order; a step ahead has no time."""
    named = (
        ("Due", tick, "the nominal time of the tick"),
        ("Queued", queued, "the message was given to the broker"),
        ("Received", received, "a worker took the message"),
        ("Started", started, "the worker began the last attempt"),
        ("Finished", finished, "the run ended"),
    )
    found: list[Step] = []
    before: datetime | None = None
    for name, at, hint in named:
        if at is None and name == "Due":
            continue
        found.append(Step(name, at, at - before if at and before else None, hint))
        before = at or before
    return found
