"""The filters of an address, and the query for the history. Pure.

An invalid value is reported, not ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from scheduler.errors import UnknownZone
from scheduler.rules.model.run_states import STATES
from scheduler.rules.time.typed import UTC_ZONE, BadTime, Direction, Zone, read_time
from webadmin.forms.sentences import sentence
from webadmin.present import TRIGGERS

TEXTS = ("schedule", "job", "worker", "queue", "parent")
CHOICES = {"state": STATES, "trigger": tuple(TRIGGERS)}
TIMES = ("since", "until")
FILTERS = (*TEXTS, *CHOICES, *TIMES)
LONGEST = 255


@dataclass(frozen=True)
class ParsedFilters:
    """The typed texts, the parsed values and the error messages, by filter name."""

    raw: dict[str, str]
    parsed: dict[str, str | datetime]
    errors: dict[str, str]


def parse_filters(query: Mapping[str, str], now: datetime, zone: Zone = UTC_ZONE) -> ParsedFilters:
    """Return the parsed filters; a filter with an error has no parsed value."""
    raw = {name: query[name].strip() for name in FILTERS if query.get(name, "").strip()}
    parsed: dict[str, str | datetime] = {}
    errors: dict[str, str] = {}
    for name, text in raw.items():
        try:
            parsed[name] = _value(name, text, now, zone)
        except ValueError as error:
            errors[name] = str(error)
    since, until = parsed.get("since"), parsed.get("until")
    if isinstance(since, datetime) and isinstance(until, datetime) and since > until:
        errors["until"] = "This is before the time in ‘Since’. Swap the two."
        del parsed["until"]
    return ParsedFilters(raw, parsed, errors)


def _value(name: str, text: str, now: datetime, zone: Zone) -> str | datetime:
    if len(text) > LONGEST:
        raise ValueError(f"This is {len(text)} characters long; no name has more than {LONGEST}.")
    if name in TIMES:
        return moment(text, now, zone)
    if name in CHOICES and text not in CHOICES[name]:
        raise ValueError(f"{text!r} is not a {name}. Choose one from the list.")
    return text


def moment_ahead(text: str, now: datetime, zone: Zone = UTC_ZONE) -> datetime:
    """Return a time in the future, in the notation of `rules.time.typed`.

    A date without a zone is in UTC, a time of day in `zone`. Raises ValueError.
    """
    at = _time(text, now, Direction.AHEAD, zone)
    if at <= now:
        raise ValueError(f"{text[:60]!r} has passed. Name a time to come, or leave it empty.")
    return at


def moment(text: str, now: datetime, zone: Zone = UTC_ZONE) -> datetime:
    """Return a time in the past, in the notation of `rules.time.typed`.

    A date without a zone is in UTC, a time of day in `zone`. Raises ValueError.
    """
    return _time(text, now, Direction.PAST, zone)


def _time(text: str, now: datetime, direction: Direction, zone: Zone) -> datetime:
    try:
        return read_time(
            text,
            "time",
            now=now,
            direction=direction,
            zone=zone,
            plain_zone=UTC_ZONE,
            plain_hint="2026-11-21 06:00 for a time in UTC",
            years=None,
        )
    except BadTime as error:
        raise ValueError(error.beside_field) from None
    except UnknownZone as error:
        raise ValueError(sentence(str(error))) from None
