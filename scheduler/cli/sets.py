"""`schedules export | plan | apply`: sets of schedules as YAML, for storage in Git."""

import sys
from pathlib import Path

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.bounds import masked_field
from scheduler.interface.sets import applied_json, plan_json
from scheduler.rules.calendars.text import lines_of
from scheduler.rules.crontab import dialect
from scheduler.rules.explain.what_if import Difference
from scheduler.rules.explain.words import describe
from scheduler.rules.model.spec import CrontabWhen, When
from scheduler.rules.phrases import counted
from scheduler.services.services import Services
from scheduler.sets import apply as applying
from scheduler.sets.export import export as exporting
from scheduler.sets.plan import FieldDifference, Plan, PlannedCalendar, with_runs
from scheduler.sets.yaml_text import MAX_BYTES
from scheduler.terminal_text import visible

WIDEST = 60


@click.command("export")
@click.argument("file", required=False, metavar="[FILE]")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="TAG",
    help="Only schedules with this tag; may be given again.",
)
@json_option
@click.pass_obj
def export_set(
    services: Services, /, *, file: str | None, tags: tuple[str, ...], as_json: bool
) -> None:
    """Write the schedules as YAML, to FILE or to standard output."""
    exported = exporting(services.schedules.stored(), services.calendars.stored(), tags=tags)
    if file is not None:
        _write(file, exported.text)
    if as_json:
        left_out = [{"name": name, "reason": reason} for name, reason in exported.left_out]
        body = {
            "file": file,
            "names": exported.names,
            "calendars": exported.calendars,
            "left_out": left_out,
        }
        print_json(body if file is not None else body | {"yaml": exported.text})
        return
    if file is None:
        click.echo(exported.text, nl=False)
    for name, reason in exported.left_out:
        click.echo(f"left out: {name}, {visible(reason)}", err=True)
    if file is not None:
        calendars = (
            f" and {counted(len(exported.calendars), 'calendar')}" if exported.calendars else ""
        )
        click.echo(f"{counted(len(exported.names), 'schedule')}{calendars} written to {file}")


@click.command("plan")
@click.argument("file")
@json_option
@click.pass_obj
def plan_set(services: Services, /, *, file: str, as_json: bool) -> None:
    """Show what `apply FILE` would change, and which runs of the next 30 days. FILE is YAML; - is
    standard input.
    """
    now = utc_now()
    plan = applying.plan_text(
        read_text(file), services.schedules, services.calendars, services.catalogue, now
    )
    plan = with_runs(plan, now, services.calendars.existing)
    if as_json:
        print_json(plan_json(plan))
        return
    _tell_plan(plan)


@click.command("apply")
@click.argument("file")
@click.option(
    "--prune",
    is_flag=True,
    help="Delete schedules that belong to the set and are missing from FILE.",
)
@click.option("--comment", default="", metavar="TEXT", help="Why; kept with each revision.")
@json_option
@click.pass_obj
def apply_set(
    services: Services, /, *, file: str, prune: bool, comment: str, as_json: bool
) -> None:
    """Apply all schedules of FILE, or, after a fault, none."""
    now = utc_now()
    plan = applying.plan_text(
        read_text(file), services.schedules, services.calendars, services.catalogue, now
    )
    done = applying.apply(
        plan, services.schedules, prune=prune, edit=fields.edit(now=now, comment=comment)
    )
    if as_json:
        print_json(applied_json(done))
        return
    for what, names in (("made", done.created_calendars), ("changed", done.changed_calendars)):
        for name in names:
            click.echo(f"calendar {name} {what}")
    for what, names in (
        ("made", done.created),
        ("changed", done.changed),
        ("deleted", done.deleted),
    ):
        for name in names:
            click.echo(f"{name} {what}")
    for name, reason in done.remaining:
        click.echo(f"{name} kept: {visible(reason)}")
    click.echo(f"{counted(len(done.unchanged), 'schedule')} unchanged")


def read_text(file: str) -> str:
    """Return the text of a file, or of standard input for `-`."""
    try:
        raw: bytes
        if file == "-":
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise Refused(
                f"file: {file!r} has more than {MAX_BYTES} bytes; divide it", field="file"
            )
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise Refused(f"file: {file!r} cannot be read: {error.strerror}", field="file") from None
    except UnicodeDecodeError as error:
        raise Refused(f"file: {file!r} is not UTF-8 text ({error.reason})", field="file") from None


def words_of(when: When) -> str:
    """Return a rule in words; a rule with `H` as written, because saving places the `H`."""
    if isinstance(when, CrontabWhen) and when.resolved is None and dialect.has_places(when.crontab):
        return when.crontab
    return describe(when)


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"file: {file!r} cannot be written: {error.strerror}", field="file") from None


def _tell_calendar(item: PlannedCalendar) -> None:
    """Print a new or changed calendar, and the schedules concerned."""
    used = (
        f"; {counted(len(item.used_by), 'schedule')} here named it already" if item.used_by else ""
    )
    if item.revision is None:
        lines = len(lines_of(item.calendar))
        click.echo(
            f"+ calendar {item.calendar.name}: new, {counted(lines, 'line')} of "
            f"excluded times{used}"
        )
        return
    click.echo(f"~ calendar {item.calendar.name}, revision {item.revision}{used}")
    for one in item.differences:
        click.echo(f"    {_words_of(one)}")


def _tell_plan(plan: Plan) -> None:
    for calendar in plan.calendars:
        _tell_calendar(calendar)
    for item in plan.created:
        click.echo(f"+ {item.spec.name}: new, {_new(item.spec.when)}{_runs(item.runs)}")
    for changed in plan.changed:
        click.echo(
            f"~ {changed.spec.name}, revision {changed.stored.revision}{_runs(changed.runs)}"
        )
        for one in changed.differences:
            click.echo(f"    {_words_of(one)}")
    for affected in plan.affected:
        what = f"its calendar {affected.spec.window.calendar} changes"
        click.echo(f"~ {affected.spec.name}, unchanged itself: {what}{_runs(affected.runs)}")
    for item in plan.only_stored:
        click.echo(f"- {item.spec.name}: not in the set, deleted with --prune{_runs(item.runs)}")
    for name, reason in plan.remaining:
        click.echo(f"! {name}: not in the set, kept: {visible(reason)}")
    click.echo(f"= {counted(len(plan.unchanged), 'schedule')} unchanged")


def _new(when: When) -> str:
    """Return the rule of a new schedule in words; `H` is placed by the id of the saved schedule."""
    if isinstance(when, CrontabWhen) and dialect.has_places(when.crontab):
        return f"{when.crontab} (H gets its place when it is made, such as {when.resolved})"
    return words_of(when)


def _runs(runs: Difference | None) -> str:
    """Return the change in the number of runs, in a few words."""
    if runs is None:
        return "; its runs of the next 30 days were not counted"
    counts = ((len(runs.gone), "go"), (len(runs.come), "come"), (len(runs.moved), "move"))
    changes = ", ".join(f"{count} {what}" for count, what in counts if count)
    return (
        f"; runs of the next 30 days: {changes}"
        if changes
        else "; no run of the next 30 days changes"
    )


def _words_of(difference: FieldDifference) -> str:
    """Return a changed field with both values, secrets masked."""
    old, new = (
        _cut(masked_field(difference.field, value)) for value in (difference.old, difference.new)
    )
    return f"{difference.field}: {old} -> {new}"


def _cut(value: object) -> str:
    text = visible(repr(value))
    return text if len(text) <= WIDEST else text[:WIDEST] + "…"
