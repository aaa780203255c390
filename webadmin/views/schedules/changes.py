"""The buttons: on, off, delete, run now, for one schedule or for a selection.

Each button is a POST; deletion needs a confirmation.
"""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose
from markupsafe import Markup

from scheduler.clock import utc_now
from scheduler.errors import Refused, Unavailable
from scheduler.rules.check import check_arguments
from scheduler.rules.model.spec import Schedule
from scheduler.rules.phrases import counted
from webadmin.form_values import comment, revision_shown
from webadmin.forms import json_text
from webadmin.guard import actor, edit_by_visitor, role_for_jobs
from webadmin.refusals import reason, shows_refusals
from webadmin.services import services
from webadmin.views.schedules.actions import (
    back,
    each,
    listed_row,
    selected,
)
from webadmin.views.schedules.detail import DetailPages


def _refused_run(pages: DetailPages, error: Exception, name: str) -> ResponseReturnValue | None:
    """Return the page with the typed arguments; None for the schedule's own arguments."""
    typed = request.form.get("kwargs")
    return None if typed is None else (pages.page(name, kwargs=typed, run_error=reason(error)), 422)


class ChangePages(DetailPages):
    """`/schedules/<name>/enable` and the like."""

    @expose("/<path:name>/enable", methods=["POST"])
    @shows_refusals("{name} was not switched on", to=back)
    def enable(self, name: str) -> ResponseReturnValue:
        """Switch the schedule on. No run starts at once."""
        return _switch(name, True)

    @expose("/<path:name>/disable", methods=["POST"])
    @shows_refusals("{name} was not switched off", to=back)
    def disable(self, name: str) -> ResponseReturnValue:
        """Switch the schedule off."""
        return _switch(name, False)

    @expose("/<path:name>/run", methods=["POST"])
    @shows_refusals("{name} was not started", to=back, page=_refused_run)
    def run(self, name: str) -> ResponseReturnValue:
        """Start a run now, optionally with other named arguments. The next tick does not move."""
        schedule = services().schedules.listed(name).schedule
        if schedule is None:
            return redirect(url_for(".show", name=name), 303)
        run_id = start(schedule, request.form.get("kwargs"))
        text = Markup('{} is started. <a href="{}" class="alert-link">See the run</a>')
        flash(text.format(name, url_for("runs.show", id=run_id)), "success")
        return back(name)

    @expose("/<path:name>/move-waiting", methods=["POST"])
    @shows_refusals("The waiting runs of {name} were not moved", to=back, also=(Unavailable,))
    def move_waiting(self, name: str) -> ResponseReturnValue:
        """Move the runs that wait in another queue to the schedule's queue."""
        schedule = services().schedules.get(name)
        queue = services().queue_of(schedule)
        count = services().message_moves.move(schedule.uid, queue, utc_now())
        flash(f"{counted(count, 'waiting run')} moved to the queue {queue}.", "success")
        return back(name)

    @expose("/<path:name>/delete", methods=["GET", "POST"])
    @shows_refusals("{name} was not deleted", to=".show", again=".delete")
    def delete(self, name: str) -> ResponseReturnValue:
        """GET shows the consequences of deletion; POST deletes the revision shown."""
        listed = services().schedules.listed(name)
        if request.method != "POST":
            if listed.schedule is not None and listed.schedule.origin == "code":
                return redirect(url_for(".show", name=name), 303)
            return self.render("schedules/actions/delete.html", listed=listed)
        services().schedules.delete(
            name,
            revision=_revision_to_delete(name, "revision"),
            edit=edit_by_visitor(now=utc_now(), comment=comment()),
        )
        flash(f"{name} is deleted. Its runs stay in the history.", "success")
        return redirect(url_for(".index"), 303)

    @expose("/bulk", methods=["POST"])
    def bulk(self) -> ResponseReturnValue:
        """Apply the chosen action to each selected schedule, and flash the outcome of each."""
        action = BULK.get(request.form.get("action", ""))
        names = selected(nothing=action is None)
        if action is not None and names:
            each(names, *action)
        return back()

    @expose("/bulk-delete", methods=["POST"])
    def bulk_delete(self) -> ResponseReturnValue:
        """Show the schedules to delete; delete after confirmation."""
        names = selected()
        if not names:
            return back()
        if not request.form.get("confirmed"):
            listed = [item for name in names if (item := listed_row(name)) is not None]
            return self.render(
                "schedules/actions/bulk_delete.html",
                listed=listed,
                next=request.form.get("next", ""),
            )
        each(names, _delete, "deleted")
        return back()


def start(schedule: Schedule, typed: str | None = None) -> str:
    """Start a run, optionally with other named arguments. Returns the id of the run.

    The arguments pass the same checks as in a saved schedule. Raises Refused or BadJson.
    """
    kwargs = schedule.kwargs if typed is None else json_text.parse(typed or "{}")
    if not isinstance(kwargs, dict):
        raise Refused(
            'The arguments must be an object in braces, such as {"days": 1}.', field="kwargs"
        )
    check_arguments(schedule.args, kwargs)
    services().catalogue.check_role(schedule.job, role_for_jobs())
    services().catalogue.check_call(schedule.job, schedule.args, kwargs)
    return services().control.start(schedule, actor=actor(), kwargs=kwargs, now=utc_now())


def _switch(name: str, enabled: bool) -> ResponseReturnValue:
    services().schedules.set_enabled(
        name, enabled, edit=edit_by_visitor(now=utc_now(), comment=comment())
    )
    flash(
        f"{name} is {'on' if enabled else 'off: it keeps its history and fires no more'}.",
        "success",
    )
    return back(name)


def _enable(name: str) -> None:
    services().schedules.set_enabled(name, True, edit=edit_by_visitor(now=utc_now()))


def _disable(name: str) -> None:
    services().schedules.set_enabled(name, False, edit=edit_by_visitor(now=utc_now()))


def _resume(name: str) -> None:
    services().operations.resume(name, edit=edit_by_visitor(now=utc_now()))


def _run(name: str) -> None:
    start(services().schedules.get(name))


def _delete(name: str) -> None:
    services().schedules.delete(
        name,
        revision=_revision_to_delete(name, f"revision.{name}"),
        edit=edit_by_visitor(now=utc_now()),
    )


def _revision_to_delete(name: str, field: str) -> int | None:
    """The revision in the form; None for an entry that cannot be read, which has none."""
    return None if services().schedules.listed(name).schedule is None else revision_shown(field)


BULK: dict[str, tuple[Callable[[str], object], str]] = {
    "enable": (_enable, "switched on"),
    "disable": (_disable, "switched off"),
    "run": (_run, "started"),
    "resume": (_resume, "resumed"),
}
