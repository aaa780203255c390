"""Ownership: reset a static entry's override, or adopt an entry of plain RedBeat code."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.schedules.raw_entry import ScheduleRow
from webadmin.form_values import comment, revision_shown
from webadmin.guard import edit_by_visitor
from webadmin.refusals import shows_refusals
from webadmin.services import services
from webadmin.views.schedules.revisions import Line, lines


class AdoptResetPages(BaseView):
    """`/schedules/<name>/reset` and `/schedules/<name>/adopt`."""

    @expose("/<path:name>/reset", methods=["GET", "POST"])
    @shows_refusals("{name} was not reset", to=".show")
    def reset(self, name: str) -> ResponseReturnValue:
        """GET shows the definition in code; POST removes the override."""
        if request.method != "POST":
            listed = services().schedules.listed(name)
            if listed.schedule is None or listed.code is None:
                flash(f"{name} has no override.", "info")
                return redirect(url_for(".show", name=name), 303)
            back = lines(listed.schedule.to_json(), listed.code.to_json())
            return self.render("schedules/actions/reset.html", listed=listed, lines=back)
        services().schedules.reset(
            name,
            revision=revision_shown(),
            edit=edit_by_visitor(now=utc_now(), comment=comment()),
        )
        flash(f"{name} is as the code says.", "success")
        return redirect(url_for(".show", name=name), 303)

    @expose("/<path:name>/adopt", methods=["GET", "POST"])
    @shows_refusals("{name} was not adopted", to=".show")
    def adopt(self, name: str) -> ResponseReturnValue:
        """GET shows the consequences of adoption; POST makes operators the owners of the entry."""
        if request.method != "POST":
            schedule = services().schedules.get(name)
            if schedule.origin != "redbeat":
                flash(
                    f"{name} was not written by plain RedBeat code, so that there is nothing to "
                    "adopt.",
                    "info",
                )
                return redirect(url_for(".show", name=name), 303)
            return self.render("schedules/actions/adopt.html", schedule=schedule)
        services().schedules.adopt(
            name,
            revision=revision_shown(),
            edit=edit_by_visitor(now=utc_now(), comment=comment()),
        )
        flash(f"{name} is yours: operators own it from now on, and it fires as before.", "success")
        return redirect(url_for(".show", name=name), 303)


def of_override(listed: ScheduleRow) -> list[Line]:
    """Return the differences between the override and the code, secrets masked."""
    if listed.schedule is None or listed.code is None:
        return []
    return lines(listed.code.to_json(), listed.schedule.to_json())
