"""`schedules import`: take schedules over from another scheduler, with a report on each."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli import fields
from scheduler.cli.output import json_option, print_json
from scheduler.cli.sets import read_text, words_of
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.interface.sets import import_json
from scheduler.rules.model.identity import tick_text
from scheduler.schedules.batch import calls_of
from scheduler.sets import apply as applying
from scheduler.sets import crontab_file, django_celery_beat, importing, redbeat_prefix
from scheduler.sets.found import Found, Readings
from scheduler.sets.importing import Import, Taken
from scheduler.storage import keys
from scheduler.terminal_text import visible

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.services.services import Services

REDBEAT = "redbeat:"
_YAML_ENDS = (".yaml", ".yml", ".json")
_YAML_BEGINS = ("version:", "schedules:", "tags:", "---", "{", "%YAML")


@click.command("import")
@click.argument("source", metavar="SOURCE")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="PATTERN=JOB",
    help="Crontab: commands that match run JOB.",
)
@click.option("--tz", metavar="ZONE", help="Crontab: the zone of lines without CRON_TZ.")
@click.option(
    "--prefix", default=keys.REDBEAT_PREFIX, metavar="TEXT", help="RedBeat: its key prefix."
)
@click.option("--replace", is_flag=True, help="Replace stored schedules that differ.")
@click.option("--dry-run", is_flag=True, help="Show the changes, and make none.")
@click.option("--comment", default="", metavar="TEXT", help="Why; kept with each revision.")
@json_option
@click.pass_context
def import_schedules(
    ctx: click.Context,
    /,
    *,
    source: str,
    replace: bool,
    dry_run: bool,
    comment: str,
    as_json: bool,
    **given: Any,
) -> None:
    """Take schedules over from SOURCE, and report each new, changed or refused schedule.

    SOURCE is a file, or - for standard input: YAML as written by `export`, or a crontab;
    redbeat:URL, the entries of a RedBeat on another server, or under another --prefix (redbeat:
    alone is our server); or the address of a database with django-celery-beat's tables,
    postgresql://… or sqlite:////….

    Unchanged schedules of a repeated import stay untouched. Exit code 1 if anything was refused.
    """
    services: Services = ctx.obj
    now = utc_now()
    report = _decide(services, source, replace=replace, now=now, **given)
    if not dry_run:
        importing.save(
            report,
            services.schedules,
            edit=fields.edit(now=now, comment=comment or f"imported from {_kind(source)}"),
        )
    if as_json:
        print_json(import_json(report) | {"saved": not dry_run})
    else:
        _tell(report, saved=not dry_run)
    if report.refused:
        ctx.exit(1)


def _decide(
    services: "Services",
    source: str,
    *,
    maps: tuple[str, ...],
    tz: str | None,
    prefix: str,
    replace: bool,
    now: datetime,
) -> Import:
    """Read the source, and decide on each of the schedules found."""
    if _kind(source) == "a file":
        text = read_text(source)
        if _is_yaml(source, text):
            plan = applying.plan_text(
                text, services.schedules, services.calendars, services.catalogue, now
            )
            return importing.of_plan(plan, replace=replace)
        mappings = [crontab_file.Mapping.read(one) for one in maps]
        found = crontab_file.read(
            text, mappings, timezone=tz or services.settings.default_timezone, now=now
        )
    else:
        found = _found(services, source, prefix)
    check_call = calls_of(services.catalogue.jobs(now))
    return importing.decide(
        found, services.schedules.stored(), check_call, replace=replace, now=now
    )


def _found(services: "Services", source: str, prefix: str) -> Found:
    """Return the schedules on a server."""
    if not source.startswith(REDBEAT):
        from scheduler.sets.django_tables import periodic_tasks

        return django_celery_beat.read(periodic_tasks(source))
    url = source.removeprefix(REDBEAT)
    if url in ("", services.settings.redis_url):
        if prefix == keys.REDBEAT_PREFIX:
            raise Refused(
                "prefix: this is the prefix of Beatdesk's own schedules; name another prefix",
                field="prefix",
            )
        return redbeat_prefix.read(services.redis, prefix)
    client = _client(url)
    try:
        return redbeat_prefix.read(client, prefix)
    finally:
        client.close()


def _client(url: str) -> "Redis":
    from redis import Redis

    from scheduler.storage.addresses import redis_address

    try:
        address = redis_address.read(url)
    except ValueError as fault:
        raise Refused(
            f"source: {fault}; write redbeat:redis://host:port/number, or redbeat: alone",
            field="source",
        ) from None
    return Redis.from_url(
        address.for_client, decode_responses=True, socket_connect_timeout=5, socket_timeout=30
    )


def _kind(source: str) -> str:
    """Return the kind of a source, without the address, which may hold a password."""
    if source.startswith(REDBEAT):
        return "RedBeat"
    if source.startswith(("redis://", "rediss://", "unix://")):
        raise Refused(
            "source: to import from a RedBeat, write redbeat: before its address",
            field="source",
        )
    return "django-celery-beat" if "://" in source else "a file"


def _is_yaml(source: str, text: str) -> bool:
    """Whether the text is YAML, by the file's name or by the first line with content."""
    if source.lower().endswith(_YAML_ENDS):
        return True
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "").startswith(
        _YAML_BEGINS
    )


def _tell(report: Import, *, saved: bool) -> None:
    for name, outcome in report.calendars:
        click.echo(f"{outcome:<10} calendar {name}")
    for taken in report.taken:
        _tell_taken(taken)
    for aside in report.ignored:
        click.echo(f"ignored    {visible(aside.source)}: {visible(aside.reason)}")
    for aside in report.refused:
        click.echo(f"refused    {visible(aside.source)}: {visible(aside.reason)}")
    counts = {
        outcome: sum(taken.outcome == outcome for taken in report.taken)
        for outcome in ("created", "replaced")
    }
    done = "" if saved else " (nothing was saved, this was a dry run)"
    click.echo(
        f"{counts['created']} created, {counts['replaced']} replaced, "
        f"{len(report.taken) - sum(counts.values())} unchanged, {len(report.refused)} refused{done}"
    )


def _tell_taken(taken: Taken) -> None:
    candidate = taken.candidate
    spec = candidate.spec
    place = "" if candidate.source == spec.name else f", from {visible(candidate.source)}"
    click.echo(f"{taken.outcome:<10} {spec.name}{place}: {words_of(spec.when)}")
    for note in candidate.notes:
        click.echo(f"           {visible(note)}")
    if candidate.readings is not None:
        click.echo(
            "           either day field is enough, as cron has it: "
            f"{_ticks(candidate.readings)[0]}"
        )
        click.echo(
            "           both must match, as Celery has it (not taken): "
            f"{_ticks(candidate.readings)[1]}"
        )


def _ticks(readings: Readings) -> tuple[str, str]:
    either, both = (
        ", ".join(map(tick_text, ticks)) or "never" for ticks in (readings.either, readings.both)
    )
    return either, both
