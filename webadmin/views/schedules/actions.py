"""Shared parts of the schedule buttons: selection, bulk action, typed times, redirect."""

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
"""Most schedules of one bulk action."""


def selected(*, nothing: bool = False) -> list[str]:
    """Return the ticked names; a warning is flashed for an empty selection, or with `nothing`.

    `nothing` stands for a missing choice of action. At most SELECTED names.
    """
    names = list(dict.fromkeys(request.form.getlist("name")))[:SELECTED]
    if not names or nothing:
        flash("Select schedules first, then choose what to do with them.", "warning")
    return names


def each(names: list[str], action: Callable[[str], object], done: str) -> None:
    """Call `action` for each name and flash the outcome; a refusal does not stop the rest."""
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
    """Return the zone for typed times of day: the schedule's, or else the default zone."""
    return clock_zone(services().schedules.get(name).when, services().settings.default_timezone)


def default_clock() -> ZoneInfo:
    """Return the zone for typed times of day without a single schedule: the default zone."""
    return zones.zone(services().settings.default_timezone)


def listed_row(name: str) -> ScheduleRow | None:
    """Return the row of a schedule; None for a deleted schedule."""
    try:
        return services().schedules.listed(name)
    except NotFound:
        return None


def back(name: str | None = None) -> ResponseReturnValue:
    """Redirect to the page with the button."""
    target = request.form.get("next", "")
    fallback = url_for(".show", name=name) if name else url_for(".index")
    return redirect(target if safe_path(target) else fallback, 303)
