"""Options of `add`, `edit` and `preview` -> the rule of a schedule (`When`). Pure: reads no clock.

Each kind of rule has one option with the kind's name, and further options for details. Options of
another kind are refused.
"""

from datetime import datetime
from typing import Any

import click

from scheduler.cli import fields
from scheduler.errors import Refused
from scheduler.rules.model.fields import RULES, fields_of, rule_fields
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RedBeatWhen,
    RruleWhen,
    When,
)
from scheduler.rules.time import zones

_KINDS = {fields_of(kind)[0].parameter: kind for kind in RULES}
"""Kinds of rule by the option that names each kind: the kind's first field."""

ROWS = sorted(rule_fields(), key=lambda row: row.parameter not in _KINDS)
NAMES = tuple(row.parameter for row in ROWS)

_GOES_WITH = {kind: {row.parameter for row in fields_of(kind)[1:]} for kind in RULES}
_GOES_WITH["once"] |= {"tz"}  # a wall time needs a clock, though the rule holds the instant only

_BY_PARAMETER = {row.parameter: row for row in ROWS}


def new_when(*, default_zone: str, now: datetime, **given: Any) -> When:
    """Return the rule of a new schedule. Raises UsageError unless exactly one kind is named."""
    kind = _named_kind(given)
    if kind is None:
        raise click.UsageError(_one_of())
    _check_fits(kind, given)
    zone: str = given["tz"] if given.get("tz") is not None else default_zone
    if kind == "interval":
        return IntervalWhen(every=given["every"], anchor=_anchor(given, now, default_zone))
    if kind == "once":
        return OnceWhen(at=_ahead(given["at"], "at", given.get("tz"), now, default_zone))
    if kind == "rrule":
        start = given.get("dtstart")
        dtstart = now.replace(second=0, microsecond=0)
        if start is not None:
            dtstart = _ahead(start, "dtstart", zone, now, zone)
        return RruleWhen(rrule=given["rrule"], dtstart=dtstart, timezone=zone)
    return CrontabWhen(
        crontab=given["cron"], timezone=zone, **_chosen(given, "day_match", "dst_gap", "dst_repeat")
    )


def edited_when(old: When, *, default_zone: str, now: datetime, **given: Any) -> When:
    """Return the rule after an edit; unnamed options stay.

    An interval of unchanged length keeps its anchor.
    """
    kind = _named_kind(given)
    if all(given.get(name) is None for name in NAMES):
        return old
    if kind is not None and kind != old.kind:
        return new_when(default_zone=default_zone, now=now, **given)
    _check_fits(old.kind, given)
    if isinstance(old, CrontabWhen):
        named = {"crontab": given.get("cron"), "timezone": given.get("tz"), "resolved": None}
        named |= _chosen(given, "day_match", "dst_gap", "dst_repeat")
    elif isinstance(old, RruleWhen):
        zone = given["tz"] if given.get("tz") is not None else old.timezone
        start = given.get("dtstart")
        dtstart = None if start is None else _ahead(start, "dtstart", zone, now, zone)
        named = {"rrule": given.get("rrule"), "timezone": given.get("tz"), "dtstart": dtstart}
    elif isinstance(old, IntervalWhen):
        every = old.every if given.get("every") is None else given["every"]
        old_anchor = old.anchor if every == old.every else None
        anchor = _anchor(given, now, default_zone) or old_anchor
        return IntervalWhen(every=every, anchor=anchor)
    else:
        if given.get("at") is None:
            return old
        return OnceWhen(at=_ahead(given["at"], "at", given.get("tz"), now, default_zone))
    return old.model_copy(update={key: value for key, value in named.items() if value is not None})


def _named_kind(given: dict[str, Any]) -> str | None:
    """Return the kind named by the options, or None. Raises UsageError for more than one kind."""
    kinds = [kind for option, kind in _KINDS.items() if given.get(option) is not None]
    if len(kinds) > 1:
        raise click.UsageError(_one_of())
    return kinds[0] if kinds else None


def _one_of() -> str:
    return "give one of --cron TEXT, --every SECONDS, --at TIME and --rrule TEXT"


def _check_fits(kind: str, given: dict[str, Any]) -> None:
    """Raise UsageError for an option without a meaning for this kind."""
    for option in NAMES:
        if given.get(option) is None or option in _KINDS or option in _GOES_WITH.get(kind, ()):
            continue
        fitting = [f"--{name}" for name, other in _KINDS.items() if option in _GOES_WITH[other]]
        field, flag = _BY_PARAMETER[option].name, _BY_PARAMETER[option].flag
        raise Refused(
            f"{field}: {given[option]!r} has a meaning with {' or '.join(fitting)} only; leave "
            f"{flag} out, or give {fitting[0]}",
            field=field,
        )


def _chosen(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if given.get(name) is not None}


def _anchor(given: dict[str, Any], now: datetime, default_zone: str) -> datetime | None:
    text = given.get("anchor")
    if text is None:
        return None
    whole = now.replace(microsecond=0)
    return fields.moment(text, "anchor", now=whole, zone=lambda: zones.zone(default_zone))


def _ahead(text: str, field: str, zone: str | None, now: datetime, default_zone: str) -> datetime:
    """Return a future instant. A date without an offset is read in `zone`, and refused without a
    zone.
    """
    plain_zone = None if zone is None else zones.zone(zone)
    clock = plain_zone or (lambda: zones.zone(default_zone))
    whole = now.replace(microsecond=0)  # rules count in seconds
    return fields.moment_ahead(text, field, now=whole, zone=clock, plain_zone=plain_zone)


def zone_of(when: When) -> str:
    """Return the name of the rule's time zone; UTC for a rule without a zone."""
    return "UTC" if isinstance(when, IntervalWhen | OnceWhen | RedBeatWhen) else when.timezone
