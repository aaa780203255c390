"""Job history: the list of runs with filters, and the page of one run."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose
from markupsafe import Markup

from scheduler.clock import utc_now
from scheduler.errors import Refused, Unavailable
from scheduler.events.secret_names import MASK
from scheduler.history.queries.views import RunFilter, RunView
from scheduler.interface.published import progress_words
from scheduler.rules.model.run_states import RunState, is_without_run
from scheduler.runs.canceller import Cancelled
from webadmin import present
from webadmin.forms import json_text
from webadmin.guard import Guard, actor, role_for_jobs
from webadmin.parsed_filters import CHOICES, ParsedFilters, parse_filters
from webadmin.refusals import reason, shows_refusals
from webadmin.services import services
from webadmin.views.reports import KINDS, SHOWN
from webadmin.views.schedules.actions import default_clock

PAGE = 50
LOG_LINES = 200
"""The number of log lines, from the end, on a run's page."""

LOG_EVENTS = LOG_LINES  # a slow job logs one line per event
MOST_LOG_EVENTS = 5000
MOST_REPORTS = 20
"""Most files linked on the page of a run; the list of reports has all."""
QUICK = (
    "",
    *(
        state.value
        for state in (RunState.RUNNING, RunState.FAILED, RunState.SUCCEEDED, RunState.MISSED)
    ),
)
"""States with a one-click filter above the list; the form has all states."""


def _refused_rerun(pages: "RunsView", error: Exception, id: str) -> ResponseReturnValue | None:
    """Return the page with the typed arguments, or with the question whether a run may be doubled;
    None for any other rerun without typed arguments.
    """
    typed = request.form.get("kwargs")
    if isinstance(error, Refused) and error.field == "anyway":
        return pages._page(services().history.run(id), typed=typed, doubles=True), 409
    if typed is None:
        return None
    return pages._page(services().history.run(id), typed=typed, fault=reason(error)), 422


class RunsView(Guard, BaseView):
    """`/runs/`."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the runs that match the filters, newest first."""
        wanted = parse_filters(request.args, utc_now(), default_clock)
        after = request.args.get("after") or None
        page = services().history.runs(RunFilter(**wanted.parsed), after=after, limit=PAGE)
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
            progress_words=progress_words,
        )

    @expose("/<id>")
    def show(self, id: str) -> ResponseReturnValue:
        """Show one run."""
        return self._page(services().history.run(id))

    def _page(
        self,
        run: RunView,
        *,
        typed: str | None = None,
        fault: str | None = None,
        doubles: bool = False,
    ) -> str:
        """Render a run's page; `typed` is the text of a rerun's arguments, `fault` the error,
        `doubles` whether a rerun would run the job twice.
        """
        whole = request.args.get("log") == "all"
        log = services().history.log(
            run.id, newest=True, limit=MOST_LOG_EVENTS if whole else LOG_EVENTS
        )
        lines = log.items if whole else log.items[-LOG_LINES:]
        live = present.state_look(run.state).live
        return self.render(
            "runs/show.html",
            run=run,
            reports=[]
            if live
            else services().history.reports(None, MOST_REPORTS, run=run.id).items,
            shown=SHOWN,
            kinds=KINDS,
            log=lines,
            log_cut=log.cut or len(lines) < len(log.items),
            progress=progress_words(run),
            repeatable=not is_without_run(run.state),
            typed=present.pretty(run.kwargs or {}) if typed is None else typed,
            fault=fault,
            doubles=doubles,
            again_fields={"anyway": "1"} | ({} if typed is None else {"kwargs": typed}),
            live=live,
            moving=live or any(present.state_look(child.state).live for child in run.children),
            steps=present.steps(
                run.tick, run.queued_at, run.received_at, run.started_at, run.finished_at
            ),
            trigger=present.TRIGGERS.get(run.trigger or "", run.trigger),
        )

    @expose("/<id>/rerun", methods=["POST"])
    @shows_refusals("The run was not started again", to="runs.show", page=_refused_rerun)
    def rerun(self, id: str) -> ResponseReturnValue:
        """Start the run again, optionally with other named arguments."""
        old = services().history.run(id)
        typed = request.form.get("kwargs")
        services().catalogue.check_role(old.job, role_for_jobs())
        run = services().control.rerun(
            old,
            services().schedules.find(old.schedule, old.schedule_uid),
            services().catalogue.check_call,
            actor=actor(),
            kwargs=None if typed is None else _named(typed),
            anyway=bool(request.form.get("anyway")),
            now=utc_now(),
        )
        text = Markup('It runs again. <a href="{}" class="alert-link">See the new run</a>')
        flash(text.format(url_for("runs.show", id=run)), "success")
        return redirect(url_for("runs.show", id=old.id), 303)

    @expose("/<id>/cancel", methods=["POST"])
    @shows_refusals("The run was not cancelled", to="runs.show", also=(Unavailable,))
    def cancel(self, id: str) -> ResponseReturnValue:
        """Cancel the run: at once where no worker has it."""
        run = services().history.run(id)
        if not present.state_look(run.state).live:
            flash(f"The run has ended already: {present.state_words(run.state).lower()}.", "info")
            return redirect(url_for("runs.show", id=run.id), 303)
        effect = services().control.cancel(run.id, actor(), utc_now(), queue=run.queue)
        flash(EFFECTS[effect], "success")
        return redirect(url_for("runs.show", id=run.id), 303)

    @staticmethod
    def _address(wanted: ParsedFilters, after: str | None) -> str:
        query: dict[str, Any] = {**wanted.raw, "after": after}
        return url_for("runs.index", **query)


def _named(typed: str) -> dict[str, Any]:
    """Return the typed named arguments. Raises Refused, also for a masked secret."""
    kwargs = json_text.parse(typed or "{}")
    if not isinstance(kwargs, dict):
        raise Refused(
            'The arguments must be an object in braces, such as {"days": 1}.', field="kwargs"
        )
    if MASK in typed:
        raise Refused(
            f"{MASK} stands where a secret is hidden; write the secret in its place", field="kwargs"
        )
    return kwargs


EFFECTS = {
    Cancelled.ENDED: "The run is cancelled: no worker had it.",
    Cancelled.STOPPING: "The workers were asked to end this run. It turns Cancelled when one has.",
    Cancelled.UNSTOPPABLE: "This run goes on to its end: the pool of its worker cannot stop a "
    "running job.",
    Cancelled.SEARCHED: "The workers were asked to end this run. Where none of them has it, it "
    "turns Cancelled within a minute.",
}

LABELS = {
    "schedule": "Schedule",
    "job": "Job",
    "state": "State",
    "worker": "Worker",
    "queue": "Queue",
    "trigger": "Started",
    "parent": "Came of run",
    "since": "Since",
    "until": "Until",
}
