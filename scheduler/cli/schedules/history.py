"""`schedules history`, `revisions` and `restore`: runs and changes from SQL, and the way back."""

import json
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import click

from scheduler.cli import fields
from scheduler.cli.output import (
    json_option,
    print_json,
    print_table,
    to_the_second,
)
from scheduler.cli.runs import limit_options, say_page
from scheduler.cli.schedules import deleted
from scheduler.cli.schedules.listing import one_as_json
from scheduler.clock import utc_now
from scheduler.errors import NotFound
from scheduler.events.bounds import masked_field
from scheduler.history.queries.views import RevisionView, RunFilter
from scheduler.interface.published import revision_json
from scheduler.rules.model.difference import Difference, differences
from scheduler.rules.model.spec import Schedule
from scheduler.services.services import Services

SHOWN = 4
"""Most changed fields in a line of the table."""

WIDEST = 40


@click.command()
@click.argument("name")
@limit_options
@json_option
@click.pass_obj
def history(
    services: Services, /, *, name: str, limit: int, after: str | None, as_json: bool
) -> None:
    """Show the runs of schedule NAME, newest first."""
    uid = _uid(services, name)
    wanted = RunFilter(schedule=name) if uid is None else RunFilter(schedule_uid=uid)
    page = services.history.runs(wanted, after=after, limit=limit)
    if uid is None and not page.items:
        raise NotFound(
            f"name: there is no schedule {name!r}, and the history has no run of one; `beatdesk "
            "schedules list` shows all",
            field="name",
        )
    say_page(page, as_json=as_json)


@click.command()
@click.argument("name")
@json_option
@click.pass_obj
def revisions(services: Services, /, *, name: str, as_json: bool) -> None:
    """Show who changed schedule NAME, when and why, newest first."""
    gone = deleted.deletion_of(services, name)
    saved = services.history.revisions(
        services.schedules.get(name).uid if gone is None else gone.schedule_uid
    )
    changed = _changed(saved)
    if as_json:
        items = [
            {**revision_json(item), "changes": [_masked(one) for one in found]}
            for item, found in zip(saved, changed, strict=True)
        ]
        print_json({"items": items, "next": None})
        return
    print_table(
        ["REVISION", "AT", "WHAT", "BY", "COMMENT", "CHANGED"],
        [
            [
                str(item.revision),
                to_the_second(item.at),
                item.action,
                item.actor,
                item.comment,
                _in_words(found),
            ]
            for item, found in zip(saved, changed, strict=True)
        ],
    )


@click.command()
@click.argument("name")
@click.argument("number", metavar="REVISION", type=click.IntRange(0))
@click.option(
    "--revision",
    type=int,
    metavar="N",
    help="Refuse if the schedule is not at this revision any more.",
)
@click.option("--comment", default="", metavar="TEXT", help="Why; kept with the revision.")
@json_option
@click.pass_obj
def restore(
    services: Services,
    /,
    *,
    name: str,
    number: int,
    revision: int | None,
    comment: str,
    as_json: bool,
) -> None:
    """Save an earlier REVISION of schedule NAME as the newest one, or restore a deleted
    schedule.
    """
    gone = deleted.deletion_of(services, name)
    if gone is not None:
        saved = services.operations.revive(
            gone, number, services.history, edit=fields.edit(now=utc_now(), comment=comment)
        )
        _say_restored(services, saved, f"is back as it was in revision {number}", as_json=as_json)
        return
    schedule = services.schedules.get(name)
    earlier = services.history.revision(schedule.uid, number)
    saved = services.operations.restore(
        name,
        earlier.definition,
        restored=number,
        revision=schedule.revision if revision is None else revision,
        edit=fields.edit(now=utc_now(), comment=comment),
    )
    _say_restored(services, saved, f"is again as it was in revision {number}", as_json=as_json)


def _say_restored(services: Services, saved: Schedule, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(one_as_json(services, services.schedules.listed(saved.name)))
    else:
        click.echo(f"{saved.name} {what}, as revision {saved.revision}")


def _changed(saved: list[RevisionView]) -> list[list[Difference]]:
    """Return the differences between each revision and the previous one.

    The oldest revision in the history has no differences.
    """
    pairs = pairwise(saved)
    return [
        *(differences(older.definition, newer.definition) for newer, older in pairs),
        *([[]] if saved else []),
    ]


def _masked(difference: Difference) -> dict[str, Any]:
    """Return a difference as JSON fields, secrets masked."""
    values = {name: value for name, value in asdict(difference).items() if name != "field"}
    return {
        "field": difference.field,
        **{name: masked_field(difference.field, value) for name, value in values.items()},
    }


def _in_words(found: list[Difference]) -> str:
    """Return the differences in one line of words."""
    texts = [
        f"{one.field}: {_shown(one.field, one.before)} → {_shown(one.field, one.after)}"
        for one in found[:SHOWN]
    ]
    more = len(found) - SHOWN
    return "; ".join([*texts, *([f"{more} more"] if more > 0 else [])])


def _shown(field: str, value: object) -> str:
    """Return a value in short, secrets masked; a dash for a missing one."""
    if value is None:
        return "-"
    shown = masked_field(field, value)
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _uid(services: Services, name: str) -> str | None:
    try:
        return services.schedules.get(name).uid
    except NotFound:
        return None
