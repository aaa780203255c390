"""Whose a schedule is: off with an override on a static entry, or an entry of plain RedBeat code
made an operator's.
"""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import Refused, StaleRevision, UnreadableEntry
from scheduler.rules.model.spec import Schedule
from scheduler.schedules.reads import ScheduleRow
from webadmin.forms.sentences import sentence
from webadmin.guard import actor
from webadmin.services import services
from webadmin.views.schedules.acting import comment, number
from webadmin.views.schedules.revising import Line, lines


class OwningPages(BaseView):
    """`/schedules/<name>/reset` and `/schedules/<name>/adopt`."""

    @expose("/<path:name>/reset", methods=["GET", "POST"])
    def reset(self, name: str) -> ResponseReturnValue:
        """Show what code says instead; take the override off."""
        if request.method == "GET":
            listed = services().schedules.listed(name)
            if listed.schedule is None or listed.code is None:
                flash(f"{name} has no override.", "info")
                return redirect(url_for(".show", name=name), 303)
            back = lines(listed.schedule.to_json(), listed.code.to_json())
            return self.render("schedules/reset.html", listed=listed, lines=back)
        return _done(
            name,
            lambda: services().schedules.reset(
                name, revision=number("revision"), actor=actor(), comment=comment(), now=utc_now()
            ),
            "is as the code says",
            "reset",
        )

    @expose("/<path:name>/adopt", methods=["GET", "POST"])
    def adopt(self, name: str) -> ResponseReturnValue:
        """Say what it means; adopt."""
        if request.method == "GET":
            schedule = services().schedules.get(name)
            if schedule.origin != "redbeat":
                flash(
                    f"{name} was not written by plain RedBeat code, so that there is nothing to "
                    "adopt.",
                    "info",
                )
                return redirect(url_for(".show", name=name), 303)
            return self.render("schedules/adopt.html", schedule=schedule)
        return _done(
            name,
            lambda: services().schedules.adopt(
                name, revision=number("revision"), actor=actor(), comment=comment(), now=utc_now()
            ),
            "is yours: operators own it from now on, and it fires as before",
            "adopted",
        )


def of_override(listed: ScheduleRow) -> list[Line]:
    """What the override says otherwise than the code, secrets masked."""
    if listed.schedule is None or listed.code is None:
        return []
    return lines(listed.code.to_json(), listed.schedule.to_json())


def _done(name: str, act: Callable[[], Schedule], done: str, what: str) -> ResponseReturnValue:
    """Do it to what was seen, and say what came of it."""
    try:
        act()
    except (Refused, UnreadableEntry) as error:
        flash(f"{name} was not {what}. {sentence(str(error))}", "danger")
    except StaleRevision as error:
        flash(
            f"{name} was not {what}: it has been changed to revision {error.current} since you "
            "looked.",
            "warning",
        )
    else:
        flash(f"{name} {done}.", "success")
    return redirect(url_for(".show", name=name), 303)
