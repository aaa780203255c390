"""Job history: the list of runs with its filters, and the page of one run."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError
from scheduler.history.queries import RunFilter
from webadmin import desk, present
from webadmin.asked import CHOICES, Asked, asked
from webadmin.guard import Guard, actor

PAGE = 50
QUICK = ("", "running", "failed", "succeeded", "missed")
"""The states that the list offers with one click; the form has all."""


class RunsView(Guard, BaseView):
    """`/runs/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The runs that fit the filters, newest first."""
        wanted = asked(request.args, utc_now())
        after = request.args.get("after") or None
        page = desk().history.runs(RunFilter(**wanted.meant), after=after, limit=PAGE)
        return self.render(
            "runs/index.html",
            page=page,
            wanted=wanted,
            choices=CHOICES,
            labels=LABELS,
            quick=QUICK,
            next_url=self._address(wanted, page.next) if page.next else None,
            first_url=self._address(wanted, None) if after else None,
            fresh=after is None,
        )

    @expose("/<id>")
    def show(self, id: str) -> ResponseReturnValue:
        """One run, whole."""
        run = desk().history.run(id)
        return self.render(
            "runs/show.html",
            run=run,
            live=present.state_look(run.state).live,
            steps=present.steps(run.tick, run.queued_at, run.received_at, run.started_at, run.finished_at),
            trigger=present.TRIGGERS.get(run.trigger or "", run.trigger),
        )

    @expose("/<id>/cancel", methods=["POST"])
    def cancel(self, id: str) -> ResponseReturnValue:
        """Ask the workers to end the run."""
        run = desk().history.run(id)
        if not present.state_look(run.state).live:
            flash(f"The run has ended already: {present.state_words(run.state).lower()}.", "info")
            return redirect(url_for("runs.show", id=run.id), 303)
        try:
            desk().control.cancel(run.id, actor(), utc_now())
        except BeatdeskError as error:
            flash(f"The run was not cancelled: {error}", "error")
        else:
            flash("The workers were asked to end this run. It turns Cancelled when one has.", "success")
        return redirect(url_for("runs.show", id=run.id), 303)

    @staticmethod
    def _address(wanted: Asked, after: str | None) -> str:
        query: dict[str, Any] = {**wanted.typed, "after": after}
        return url_for("runs.index", **query)


LABELS = {
    "schedule": "Schedule",
    "job": "Job",
    "state": "State",
    "worker": "Worker",
    "queue": "Queue",
    "trigger": "Started",
    "since": "Since",
    "until": "Until",
}
