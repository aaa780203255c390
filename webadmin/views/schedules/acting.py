"""What the buttons of the schedule pages share: the selection, the comment, one thing done to each,
the way back.
"""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.errors import BeatdeskError, NotFound, Refused, StaleRevision, UnreadableEntry
from scheduler.schedules.reads import ScheduleRow
from webadmin.forms.sentences import sentence
from webadmin.guard import safe_path
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
        except (Refused, NotFound, StaleRevision, UnreadableEntry) as error:
            refused.append(f"{name}: {_reason(error)}")
    count = len(names) - len(refused)
    if count:
        flash(f"{count} {'schedule is' if count == 1 else 'schedules are'} {done}.", "success")
    for text in refused[:5]:
        flash(f"Not {done}: {text}", "danger")
    if len(refused) > 5:
        flash(f"{len(refused) - 5} more were refused too.", "danger")


def _reason(error: BeatdeskError) -> str:
    if isinstance(error, StaleRevision):
        return f"it has been changed to revision {error.current} since you looked."
    return sentence(str(error))


def seen(name: str) -> ScheduleRow | None:
    """The line of a schedule; none where it is gone."""
    try:
        return services().schedules.listed(name)
    except NotFound:
        return None


def number(field: str) -> int | None:
    """A whole number that was sent; none where it is none."""
    text = request.form.get(field, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def comment() -> str:
    """Why, in the words of whoever did it."""
    return request.form.get("comment", "").strip()[:1000]


def back(name: str | None = None) -> ResponseReturnValue:
    """To the page that the button stood on."""
    target = request.form.get("next", "")
    fallback = url_for(".show", name=name) if name else url_for(".index")
    return redirect(target if safe_path(target) else fallback, 303)
