"""`beatdesk calendars`: list, show, set, import, delete and compare exclusion calendars."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click

from scheduler.cli import fields
from scheduler.cli.output import (
    json_option,
    print_facts,
    print_json,
    print_table,
    to_the_second,
)
from scheduler.cli.sets import read_text
from scheduler.clock import utc_now
from scheduler.errors import NotFound, Refused, UnreadableEntry
from scheduler.interface.calendar_view import calendar_json, damaged_json
from scheduler.rules.calendars import icalendar
from scheduler.rules.calendars import text as calendar_text
from scheduler.rules.calendars.exclusions import Calendar, SavedCalendar
from scheduler.rules.time import zones
from scheduler.services.services import Services
from scheduler.terminal_text import visible

MOST_LEFT_OUT = 20
"""Most left-out events of an import in the text; the JSON has all."""

YEARS_EXPANDED = 10
"""Years of recurring events taken from an iCalendar file."""

revision_option = click.option(
    "--revision", type=int, metavar="N", help="Refuse if it is at another revision."
)
comment_option = click.option(
    "--comment", default="", metavar="TEXT", help="Why; kept with the revision."
)
zone_option = click.option(
    "--tz", metavar="ZONE", help="IANA zone of the calendar's days; by default UTC."
)


@click.group()
def calendars() -> None:
    """Days and hours without runs, for the schedules of a calendar."""


@calendars.command("list")
@json_option
@click.pass_obj
def list_calendars(services: Services, /, *, as_json: bool) -> None:
    """List the calendars, each with its schedules."""
    used = services.calendars.used_by()
    bodies = [_body(stored, used.get(stored.name, [])) for stored in services.calendars.stored()]
    if as_json:
        print_json({"items": bodies, "next": None})
        return
    print_table(
        ["NAME", "ZONE", "EXCLUDED", "SCHEDULES", "REVISION"],
        [
            [
                body["name"],
                body["timezone"] or "-",
                _short(body),
                str(len(body["used_by"])),
                str(body["revision"] or "-"),
            ]
            for body in bodies
        ],
    )


@calendars.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(services: Services, /, *, name: str, as_json: bool) -> None:
    """Show the excluded times of calendar NAME, and its schedules."""
    body = calendar_json(services.calendars.get(name), services.calendars.used_by().get(name, []))
    if as_json:
        print_json(body)
        return
    print_facts(
        [
            ("name", name),
            ("zone", body["timezone"]),
            ("description", body["description"] or "-"),
            ("excluded", "\n".join(body["excluded"]) or "nothing"),
            ("schedules", ", ".join(body["used_by"]) or "none"),
            ("revision", f"{body['revision']}, {body['updated_at']} by {body['updated_by']}"),
        ]
    )


@calendars.command("set")
@click.argument("name")
@click.option(
    "--date",
    "dates",
    multiple=True,
    metavar="D",
    help="A day: '2026-12-24', or '2026-12-24 Title'.",
)
@click.option(
    "--range", "ranges", multiple=True, metavar="A..B", help="Days, or one time until another."
)
@click.option("--weekly", multiple=True, metavar="DAYS", help="Whole days of each week: 'sat-sun'.")
@click.option(
    "--hours", multiple=True, metavar="TEXT", help="Hours of each week: 'mon-fri 22:00-06:00'."
)
@click.option("--add", is_flag=True, help="Add to the excluded times instead of replacing them.")
@click.option("--nothing", is_flag=True, help="It excludes nothing.")
@zone_option
@click.option("--description", metavar="TEXT", help="The purpose, in one line.")
@revision_option
@comment_option
@json_option
@click.pass_obj
def set_calendar(
    services: Services,
    /,
    *,
    name: str,
    as_json: bool,
    comment: str,
    revision: int | None,
    **given: Any,
) -> None:
    """Make calendar NAME, or replace its excluded times. Each option may be given again."""
    old = _stored(services, name)
    wanted = _calendar(name, old, given)
    saved = services.calendars.save(
        wanted, revision=_revision(old, revision), edit=fields.edit(now=utc_now(), comment=comment)
    )
    _say(saved, as_json=as_json)


@calendars.command("import")
@click.argument("name")
@click.argument("file", metavar="FILE.ics")
@zone_option
@revision_option
@comment_option
@json_option
@click.pass_obj
def import_calendar(
    services: Services,
    /,
    *,
    name: str,
    file: str,
    tz: str | None,
    revision: int | None,
    comment: str,
    as_json: bool,
) -> None:
    """Let calendar NAME exclude the events of an iCalendar file; - is standard input.

    Recurring events are taken for ten years. Earlier excluded times are replaced, weekly hours
    stay. An unreadable event is left out, and named with its line of the file; the others count.
    """
    now, old = utc_now(), _stored(services, name)
    zone = _zone(tz, old)
    until = (now + timedelta(days=366 * YEARS_EXPANDED)).date()
    imported = icalendar.read(read_text(file), name=name, timezone=zone, until=until)
    unchanged = {} if old is None else {"weekly": old.weekly, "description": old.description}
    saved = services.calendars.save(
        imported.calendar.model_copy(update=unchanged),
        revision=_revision(old, revision),
        edit=fields.edit(now=now, comment=comment or "imported from an iCalendar file"),
    )
    if as_json:
        left_out = [asdict(one) for one in imported.left_out]
        print_json({**calendar_json(saved, []), "left_out": left_out})
        return
    _say(saved, as_json=False)
    _print_left_out(imported.left_out)


@calendars.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@revision_option
@comment_option
@json_option
@click.pass_obj
def delete(
    services: Services,
    /,
    *,
    name: str,
    yes: bool,
    revision: int | None,
    comment: str,
    as_json: bool,
) -> None:
    """Delete calendar NAME. Refused while a schedule names the calendar."""
    expected = _revision_or_read(services, name, revision)
    if not yes and sys.stdin.isatty():
        click.confirm(f"Delete the calendar {name}?", abort=True)
    elif not yes:
        raise Refused("yes: deleting needs a yes; without a terminal add --yes", field="yes")
    services.calendars.delete(
        name, revision=expected, edit=fields.edit(now=utc_now(), comment=comment)
    )
    if as_json:
        print_json({"name": name, "deleted": True})
    else:
        click.echo(f"{name} deleted")


@calendars.command()
@click.argument("name")
@json_option
@click.pass_obj
def revisions(services: Services, /, *, name: str, as_json: bool) -> None:
    """Show who changed calendar NAME, when and why, newest first."""
    found = services.calendar_history.revisions(name)
    if (
        not found and name not in services.calendars.names()
    ):  # a recorder writes the newest revision a moment later
        raise NotFound(
            f"name: the history knows no calendar {name!r}; `beatdesk calendars list` shows all",
            field="name",
        )
    if as_json:
        print_json({"items": [one.model_dump(mode="json") for one in found], "next": None})
        return
    print_table(
        ["REVISION", "AT", "WHAT", "BY", "COMMENT"],
        [
            [str(one.revision), to_the_second(one.at), one.action, one.actor, one.comment]
            for one in found
        ],
    )


def _zone(given: str | None, old: SavedCalendar | None) -> str:
    """Return the zone of the calendar: the given one, else the stored one, else UTC."""
    if given is not None:
        return given
    return "UTC" if old is None else old.timezone


def _calendar(name: str, old: SavedCalendar | None, given: dict[str, Any]) -> Calendar:
    """Return the calendar with the changes from the options."""
    zone = _zone(given["tz"], old)
    parts: list[calendar_text.Line] = []
    for option, kind in (
        ("dates", "date"),
        ("ranges", "range"),
        ("weekly", "weekly"),
        ("hours", "hours"),
    ):
        for text in given[option]:
            parts.append(_part(text, kind, zone))
    is_replaced = bool(parts) or given["nothing"]
    if not is_replaced and (old is None or (given["tz"] is None and given["description"] is None)):
        raise click.UsageError(
            "give the excluded times: --date, --range, --weekly, --hours, or --nothing"
        )
    old_lines: list[calendar_text.Line] = []
    if old is not None and (given["add"] or not is_replaced):
        old_lines = [*old.days, *old.spans, *old.weekly]
    description = given["description"]
    if description is None:
        description = "" if old is None else old.description
    return calendar_text.of_parts(
        name, [*old_lines, *parts], timezone=zone, description=description
    )


def _part(text: str, kind: str, zone: str) -> calendar_text.Line:
    """Return the calendar line in an option. Raises a refusal for a line of another kind."""
    try:
        part = calendar_text.read(text, zones.zone(zone), field=kind)
    except Refused as error:
        raise Refused(f"{error.field or kind}: {error}", field=error.field or kind) from None
    if calendar_text.kind_of(part) != kind:
        example = calendar_text.KINDS[kind]
        raise Refused(
            f"{kind}: {text[:80]!r} is of another kind; --{kind} takes one such as {example!r}, "
            f"this belongs to --{calendar_text.kind_of(part)}",
            field=kind,
        )
    return part


def _stored(services: Services, name: str) -> SavedCalendar | None:
    try:
        return services.calendars.get(name)
    except NotFound:
        return None


def _revision(old: SavedCalendar | None, given: int | None) -> int | None:
    return given if given is not None or old is None else old.revision


def _body(stored: Any, used_by: list[str]) -> dict[str, Any]:
    try:
        return calendar_json(stored.decode(), used_by)
    except UnreadableEntry as error:
        return damaged_json(stored.name, str(error), used_by)


def _short(body: dict[str, Any]) -> str:
    """Return the first lines of a calendar, joined in one line."""
    if body["problem"]:
        return "problem: " + str(body["problem"])[:60]
    lines = body["excluded"]
    more = f", and {len(lines) - 3} more" if len(lines) > 3 else ""
    return (", ".join(lines[:3]) + more)[:80] or "nothing"


def _print_left_out(events: Sequence[icalendar.LeftOut]) -> None:
    """Print the events of a file missing from the calendar, and the reasons."""
    if not events:
        return
    count = (
        "1 event of the file is" if len(events) == 1 else f"{len(events)} events of the file are"
    )
    click.echo(f"{count} left out:")
    for one in events[:MOST_LEFT_OUT]:
        title = f" {one.title}" if one.title else ""
        click.echo(visible(f"  line {one.line}{title}: {one.reason}"))
    if len(events) > MOST_LEFT_OUT:
        click.echo(f"  and {len(events) - MOST_LEFT_OUT} more; --json names all")


def _say(saved: SavedCalendar, *, as_json: bool) -> None:
    if as_json:
        print_json(calendar_json(saved, []))
    else:
        click.echo(
            f"{saved.name} saved as revision {saved.revision}: {_short(calendar_json(saved, []))}"
        )


def _revision_or_read(services: Services, name: str, given: int | None) -> int | None:
    """Return the revision given, or else the one stored now; None for a damaged calendar."""
    try:
        stored = services.calendars.get(name).revision
    except UnreadableEntry:
        return given
    return stored if given is None else given
