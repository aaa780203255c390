"""`schedules list` and `schedules show`: schedules from Redis, the newest run from the history."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, get_args
from zoneinfo import ZoneInfo

import click
from pydantic import BaseModel

from scheduler.cli.outages import explain
from scheduler.cli.output import (
    STATE_TINTS,
    json_option,
    print_facts,
    print_json,
    print_table,
)
from scheduler.cli.schedules import statistics
from scheduler.cli.schedules.rule import zone_of
from scheduler.clock import utc_now
from scheduler.events.bounds import masked
from scheduler.history.days import Summary
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.explain.words import describe
from scheduler.rules.model.fields import fields_of
from scheduler.rules.model.spec import Schedule, When
from scheduler.rules.policies.window import is_overdue, is_paused
from scheduler.rules.time.typed import clock_zone
from scheduler.schedules.filters import Filter, State
from scheduler.schedules.raw_entry import ScheduleRow
from scheduler.services.services import Services

T = TypeVar("T")
_Past = tuple[dict[str, dict[str, Any]], Summary | None]

PAGE = 200
WIDEST = 60
MOST_WAITING = 10
"""Most lines for waiting ticks; the JSON has all."""


@click.command("list")
@click.option("--search", default="", metavar="TEXT", help="Part of a name.")
@click.option(
    "--state",
    type=click.Choice(get_args(State)),
    default="all",
    help="`enabled` includes paused schedules.",
)
@click.option("--job", default="", metavar="JOB")
@click.option("--tag", default="", metavar="TAG")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="The most schedules to show; by default all.",
)
@click.option("--after", metavar="NEXT", help="Go on after an earlier page: its `next`.")
@click.option(
    "--deleted",
    is_flag=True,
    help="Deleted schedules, newest first; `restore` brings one back.",
)
@json_option
@click.pass_obj
def list_schedules(
    services: Services,
    /,
    *,
    limit: int | None,
    after: str | None,
    deleted: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """List schedules with their words, next run and newest run."""
    if deleted:
        if filters != {"search": "", "state": "all", "job": "", "tag": ""}:
            raise click.UsageError("--deleted goes with --limit and --after only")
        from scheduler.cli.schedules import deleted as removed

        removed.list_deleted(services, after=after, limit=limit, as_json=as_json)
        return
    search = filters.pop("search")
    wanted = Filter(**filters, now=utc_now())
    items, following = _read(services, wanted, search=search, limit=limit, after=after)
    runs = newest_runs(services, items)
    if as_json:
        print_json({"items": [as_published(item, runs) for item in items], "next": following})
        return
    now = utc_now()
    headers = ["NAME", "STATE", "WHEN", "NEXT RUN", "LAST RUN", "JOB"]
    print_table(headers, [_row(item, runs, now) for item in items], tints=STATE_TINTS)
    _say_why_overdue(services, items, now)
    if following is not None:
        click.echo(f"more: --after {following}", err=True)


def _read(
    services: Services, wanted: Filter, *, search: str, limit: int | None, after: str | None
) -> tuple[list[ScheduleRow], str | None]:
    """Return the rows that pass the filter, and the name for `--after`; None on the last page."""
    items: list[ScheduleRow] = []
    while limit is None or len(items) < limit:
        size = PAGE if limit is None else min(PAGE, limit - len(items))
        page = services.schedule_list.page(wanted, search=search, after=after, limit=size)
        items += page.items
        after = page.next
        if after is None:
            break
    return items, after


@click.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(services: Services, /, *, name: str, as_json: bool) -> None:
    """Show schedule NAME."""
    listed = services.schedule_list.listed(name)
    if listed.schedule is not None:
        say_unread(services, listed.schedule, utc_now())
    waiting = services.waiting.of(listed.schedule.uid) if listed.schedule is not None else []
    runs, days = _past(services, listed)
    if as_json:
        from scheduler.interface.published import statistics_json, waiting_json

        print_json(
            as_published(listed, runs)
            | {"waiting": [waiting_json(held) for held in waiting]}
            | {"statistics": statistics_json(days)}
        )
        return
    now = utc_now()
    print_facts([*_facts(listed, runs, now), *statistics.facts(days), *_waiting(listed, waiting)])
    _say_why_overdue(services, [listed], now)


def _past(services: Services, listed: ScheduleRow) -> _Past:
    """Return the newest run by the schedule's uid, and the recent days; neither without SQL."""
    nothing: _Past = ({}, None)
    return _without_outage(
        lambda: (_newest(services, [listed]), statistics.recent(services, listed)),
        instead=nothing,
        hidden="last runs and statistics",
    )


def _waiting(listed: ScheduleRow, waiting: list[WaitingTick]) -> list[tuple[str, str]]:
    """Return the lines for waiting ticks, oldest first."""
    if listed.schedule is None:
        return []
    when = listed.schedule.when
    lines = [
        (
            "waits",
            f"{local_time(held.tick, when)} "
            f"({held.trigger}{', by ' + held.actor if held.actor else ''})",
        )
        for held in waiting[:MOST_WAITING]
    ]
    more = len(waiting) - len(lines)
    return [*lines, *([("waits", f"and {more} more")] if more else [])]


def _facts(
    listed: ScheduleRow, runs: dict[str, dict[str, Any]], now: datetime
) -> list[tuple[str, str]]:
    schedule = listed.schedule
    if schedule is None:
        return [("name", listed.name), ("problem", listed.problem or "")]
    body = as_published(listed, runs)
    facts = [
        ("name", schedule.name),
        ("state", state_of(listed, now)),
        *([("problem", listed.problem)] if listed.problem else []),
        ("when", describe(schedule.when)),
        ("next run", _next(listed, schedule.when, now)),
        ("last run", _last(listed, runs)),
        ("job", schedule.job),
    ]
    written = schedule.when.model_dump(mode="json", exclude={"kind"})
    facts += [(key, _as_text(value)) for key, value in written.items() if value is not None]
    pause = schedule.paused if is_paused(schedule, now) else None
    if pause is not None:
        end = "" if pause.until is None else f", until {local_time(pause.until, schedule.when)}"
        facts.insert(
            2,
            (
                "paused",
                f"{pause.reason} (by {pause.by}, {local_time(pause.since, schedule.when)}{end})",
            ),
        )
    facts += [("skipped", local_time(tick, schedule.when)) for tick in schedule.skips if tick > now]
    for part in (schedule.policies, schedule.window):
        values = part.model_dump(mode="json", exclude_defaults=True)
        facts += [(key.replace("_", " "), _as_text(value)) for key, value in values.items()]
    for key in (row.name for row in fields_of("") if row.flag):
        if body[key] not in (None, "", [], {}):
            facts.append((key, _as_text(body[key])))
    facts += _of_override(listed)
    changed = (
        f"{schedule.revision}, by {schedule.updated_by}"
        if schedule.updated_by
        else str(schedule.revision)
    )
    return [*facts, ("revision", changed), ("origin", schedule.origin), ("uid", schedule.uid)]


def _of_override(listed: ScheduleRow) -> list[tuple[str, str]]:
    """Return the lines for the fields that an operator overrides, with the code's values."""
    override, code = (listed.schedule.override if listed.schedule else None), listed.code
    if override is None or code is None:
        return []
    values = {name: getattr(code, name) for name in override.fields}
    warning = "; the code has changed since" if listed.code_has_changed else ""
    lines = [("override", f"{', '.join(override.fields)}{warning}; `schedules reset` takes it off")]
    return lines + [(f"code: {name}", _value_text(value)) for name, value in values.items()]


def _value_text(value: Any) -> str:
    """Return a field's value as text; of rules and policies, the unusual values only."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    return _as_text(value)


def _as_text(value: Any) -> str:
    """Return a value as text, the secrets in lists and objects masked."""
    return value if isinstance(value, str) else json.dumps(masked(value), ensure_ascii=False)


def one_as_json(services: Services, listed: ScheduleRow) -> dict[str, Any]:
    """Return the published JSON form of one schedule, with the newest run."""
    return as_published(listed, newest_runs(services, [listed]))


def newest_runs(services: Services, items: list[ScheduleRow]) -> dict[str, dict[str, Any]]:
    """Return `id` and `state` of the newest run of each schedule, by uid.

    Without SQL the result is empty: the past is hidden, never the future.
    """
    return _without_outage(lambda: _newest(services, items), instead={}, hidden="last runs")


def _newest(services: Services, items: list[ScheduleRow]) -> dict[str, dict[str, Any]]:
    uids = [item.schedule.uid for item in items if item.schedule is not None]
    found = services.newest_runs.of(uids)
    return {uid: {"id": run.id, "state": run.state} for uid, run in found.items()}


def _without_outage(read: Callable[[], T], *, instead: T, hidden: str) -> T:
    """Return what `read` returns; during an outage of SQL print what stays `hidden`, and return
    `instead`.
    """
    try:
        return read()
    except Exception as error:
        if (outage := explain(error)) is None:
            raise
        click.echo(f"beatdesk: {outage}; {hidden} are not shown", err=True)
        return instead


def as_published(listed: ScheduleRow, runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the published JSON form of a row, readable or not."""
    from scheduler.interface.published import schedule_json, unreadable_json

    if listed.schedule is None:
        return unreadable_json(listed.name, listed.problem or "")
    published = schedule_json(
        listed.schedule,
        next_tick=listed.next,
        last_run=runs.get(listed.schedule.uid),
        code=listed.code,
        code_has_changed=listed.code_has_changed,
    )
    return published | {"problem": listed.problem}


def _row(listed: ScheduleRow, runs: dict[str, dict[str, Any]], now: datetime) -> list[str]:
    schedule = listed.schedule
    if schedule is None or listed.problem:
        return [listed.name, "problem", _short(listed.problem or ""), "", "", ""]
    return [
        schedule.name,
        state_of(listed, now),
        _short(describe(schedule.when)),
        _next(listed, schedule.when, now),
        _last(listed, runs),
        schedule.job,
    ]


def _next(listed: ScheduleRow, when: When, now: datetime) -> str:
    """Return the next tick as text; an overdue tick is not called the next one."""
    overdue = listed.next is not None and is_overdue(listed.next, now)
    return ("overdue since " if overdue else "") + local_time(listed.next, when)


def _say_why_overdue(services: Services, items: list[ScheduleRow], now: datetime) -> None:
    """Print the remedy where ticks are due and no Beat runs."""
    if any(item.next is not None and is_overdue(item.next, now) for item in items):
        from scheduler.health.status import beat_part

        beat = beat_part(services, now)
        if "leader" not in beat.facts:
            click.echo(f"{beat.summary}: what is overdue waits for one. {beat.remedy}", err=True)


def say_unread(services: Services, schedule: Schedule, now: datetime) -> None:
    """Print the remedy where workers run, and none of them reads the schedule's queue."""
    workers = services.catalogue.workers(now)
    queue = services.queue_of(schedule)
    if not workers or any(queue in worker.queues for worker in workers):
        return
    from scheduler.queues.unread import unread_sentence

    noted = [each for each in services.unread_queues.current(now) if each.name == queue]
    click.echo(f"beatdesk: {unread_sentence(queue, noted[0] if noted else None)}", err=True)


def _short(text: str) -> str:
    """Return the text cut to the width of a table; `show` prints the whole text."""
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def state_of(listed: ScheduleRow, now: datetime) -> str:
    """Return `enabled`, `paused`, `finished`, `disabled` or `problem`."""
    if listed.schedule is None or listed.problem:
        return "problem"
    if listed.schedule.enabled and is_paused(listed.schedule, now):
        return "paused"
    if listed.schedule.enabled and listed.next is None and not listed.lacks_calendar:
        return "finished"
    return "enabled" if listed.schedule.enabled else "disabled"


def _last(listed: ScheduleRow, runs: dict[str, dict[str, Any]]) -> str:
    run = runs.get(listed.schedule.uid) if listed.schedule is not None else None
    return str(run["state"]) if run is not None else "-"


def clock_of(services: Services, name: str) -> Callable[[], ZoneInfo]:
    """Return a function for the zone of schedule `name`, or the default zone.

    Redis is read only when an option holds a time of day.
    """
    return lambda: clock_zone(services.schedules.get(name).when, services.settings.default_timezone)


def local_time(at: datetime | None, when: When) -> str:
    """Return the instant on the schedule's clock, with the name of the zone."""
    if at is None:
        return "-"
    zone = zone_of(when)
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {zone}"
