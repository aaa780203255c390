"""What the buttons of the schedule pages share: the selection, the comment, one thing done to each,
the way back.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.errors import NotFound
from scheduler.rules.phrases import counted
from scheduler.rules.time import zones
from scheduler.rules.time.typed import clock_zone
from scheduler.schedules.raw_entry import ScheduleRow
from webadmin.guard import safe_path
from webadmin.refusals import REFUSALS, reason
from webadmin.services import services

SELECTED = 200
"""Schedules that one bulk action takes."""


def selected(*, nothing: bool = False) -> list[str]:
    """The names that were ticked; where there are none, or `nothing` is to be done with them, it is
    said.
    """
    names = list(dict.fromkeys(request.form.getlist("name")))[:SELECTED]
    if not names or nothing:
        flash("Select schedules first, then choose what to do with them.", "warning")
    return names


def each(names: list[str], action: Callable[[str], object], done: str) -> None:
    """Do `action` to each; one that is refused does not keep the others from it."""
    refused: list[str] = []
    for name in names:
        try:
            action(name)
        except (*REFUSALS, NotFound) as error:
            refused.append(f"{name}: {reason(error)}")
    count = len(names) - len(refused)
    if count:
        flash(f"{counted(count, 'schedule is', 'schedules are')} {done}.", "success")
    for text in refused[:5]:
        flash(f"Not {done}: {text}", "danger")
    if len(refused) > 5:
        flash(f"{len(refused) - 5} more were refused too.", "danger")


def clock_of(name: str) -> ZoneInfo:
    """The zone of a schedule, or the default zone where it has none: the clock of a typed time
    of day.
    """
    return clock_zone(services().schedules.get(name).when, services().settings.default_timezone)


def default_clock() -> ZoneInfo:
    """The clock of a time of day that is typed where no one schedule is meant."""
    return zones.zone(services().settings.default_timezone)


def seen(name: str) -> ScheduleRow | None:
    """The line of a schedule; none where it is gone."""
    try:
        return services().schedules.listed(name)
    except NotFound:
        return None


def back(name: str | None = None) -> ResponseReturnValue:
    """To the page that the button stood on."""
    target = request.form.get("next", "")
    fallback = url_for(".show", name=name) if name else url_for(".index")
    return redirect(target if safe_path(target) else fallback, 303)
