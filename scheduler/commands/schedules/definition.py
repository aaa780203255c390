"""Options of `add`, `edit` and `preview` -> the Spec that the operator means. Pure: asks no store, reads no clock.

An option that is not given is None here, so that `edit` changes the named fields only.
"""

from collections.abc import Callable
from typing import Any

import click
from pydantic import ValidationError

from scheduler.commands import fields
from scheduler.errors import Refused
from scheduler.rules.spec import CrontabWhen, IntervalWhen, Spec, When

WHEN_OPTIONS = (
    click.option("--cron", metavar="TEXT", help="Five crontab fields, as Celery reads them: '0 6 * * mon-fri'."),
    click.option("--every", type=float, metavar="SECONDS", help="Every so many seconds of elapsed time."),
    click.option("--tz", metavar="ZONE", help="IANA zone that the crontab is read in, such as Europe/Berlin."),
)
WHAT_OPTIONS = (
    click.option("--args", metavar="JSON", help="Positional arguments, a JSON list."),
    click.option("--kwargs", metavar="JSON", help="Named arguments, a JSON object."),
    click.option("--queue", metavar="QUEUE", help="Queue to send to; empty for the job's own."),
    click.option("--priority", metavar="0-9|none", help="Priority of the message."),
    click.option("--owner", metavar="TEXT", help="Who answers for it."),
    click.option("--tag", "tags", multiple=True, metavar="TAG", help="May be given again; replaces all tags."),
    click.option("--description", metavar="TEXT", help="What it is for, in a line."),
    click.option("--notes", metavar="TEXT", help="What whoever is called at night must know."),
    click.option("--comment", default="", metavar="TEXT", help="Why this change is made; kept with the revision."),
)

Command = Callable[..., Any]


def when_options(command: Command) -> Command:
    """Give a command the options that say when."""
    return _decorate(command, WHEN_OPTIONS)


def what_options(command: Command) -> Command:
    """Give a command the options that say what, and about it."""
    return _decorate(command, WHAT_OPTIONS)


def _decorate(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def new_when(*, cron: str | None, every: float | None, tz: str | None, default_zone: str) -> When:
    """The rule of a new schedule: exactly one of the two kinds."""
    if (cron is None) == (every is None):
        raise click.UsageError("give either --cron TEXT or --every SECONDS")
    if cron is not None:
        return CrontabWhen(crontab=cron, timezone=tz if tz is not None else default_zone)
    _no_zone(tz)
    return IntervalWhen(every=every or 0.0)


def edited_when(old: When, *, cron: str | None, every: float | None, tz: str | None, default_zone: str) -> When:
    """The rule after an edit: what is not named stays. An interval that keeps `every` keeps its anchor."""
    if cron is not None and every is not None:
        raise click.UsageError("give either --cron TEXT or --every SECONDS")
    if every is not None:
        _no_zone(tz)
        return old if isinstance(old, IntervalWhen) and old.every == every else IntervalWhen(every=every)
    if cron is None and not isinstance(old, CrontabWhen):
        _no_zone(tz)
        return old
    named = {"crontab": cron, "timezone": tz}
    kept = old if isinstance(old, CrontabWhen) else CrontabWhen(crontab="", timezone=default_zone)
    return kept.model_copy(update={key: value for key, value in named.items() if value is not None})


def _no_zone(tz: str | None) -> None:
    if tz is not None:
        raise Refused(
            f"timezone: {tz!r} has a meaning for a crontab only; leave --tz out, or give --cron",
            field="timezone",
        )


def named_fields(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Spec that the options name, as values."""
    named: dict[str, Any] = {
        key: given[key] for key in ("job", "owner", "description", "notes") if given.get(key) is not None
    }
    if given.get("args") is not None:
        named["args"] = fields.json_list(given["args"])
    if given.get("kwargs") is not None:
        named["kwargs"] = fields.json_object(given["kwargs"])
    if given.get("queue") is not None:
        named["queue"] = given["queue"] or None
    if given.get("priority") is not None:
        named["priority"] = fields.priority(given["priority"])
    if given.get("tags"):
        named["tags"] = [tag for tag in given["tags"] if tag]
    return named


def spec_of(values: dict[str, Any]) -> Spec:
    """The Spec with these fields, or what is wrong with the first that does not fit."""
    try:
        return Spec.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else None
        raise Refused(f"{field}: {first['input']!r} cannot be used: {first['msg']}", field=field) from None
