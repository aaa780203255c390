"""The overview: health, problems, running jobs, coming ticks."""

from datetime import datetime, timedelta
from typing import Any

from flask import Flask, current_app
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.history.queries.outages import OutageView
from scheduler.history.queries.views import RunFilter, RunView
from scheduler.rules.model.run_states import RunGroup, RunState, values_in
from scheduler.schedules.raw_entry import ScheduleRow
from scheduler.services.services import Services
from webadmin import overview, present
from webadmin.guard import Guard
from webadmin.refusals import while_away
from webadmin.repairs import healed
from webadmin.services import services
from webadmin.stale_while_revalidate import StaleWhileRevalidate

LIVE = values_in(RunGroup.ACTIVE)
SHOWN = 10
ALWAYS = (RunState.SUCCEEDED.value, RunState.FAILED.value, RunState.RUNNING.value)
"""States with a count on the page, even a count of 0."""

_SELDOM = (RunState.MISSED, RunState.EXPIRED, RunState.LOST, RunState.REVOKED, RunState.SKIPPED)
TOTALS = (
    *ALWAYS,
    RunState.QUEUED.value,
    RunState.RETRYING.value,
    *(state.value for state in _SELDOM),
)
"""States in the order of their counts on the page."""


class HomeView(Guard, BaseView):
    """`/`, and the fragments that refresh the overview and the bar of every page."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the overview."""
        return self.render("home/index.html", **overview_data(utc_now()))

    @expose("/fragments/overview")
    def live(self) -> ResponseReturnValue:
        """Render the overview without the layout, for refreshing."""
        return self.render("home/fragment.html", **overview_data(utc_now()))

    @expose("/fragments/health")
    def health(self) -> ResponseReturnValue:
        """Render the health indicator in the bar of every page."""
        return self.render("home/pill.html")


def install(app: Flask) -> None:
    """Install the cache of unreadable entries."""
    app.extensions["unreadable"] = StaleWhileRevalidate(unreadable, timedelta(minutes=1))


def overview_data(now: datetime) -> dict[str, Any]:
    """Return the overview's data. Without Redis, past runs remain and `coming` is None."""
    history = services().history
    trouble = [run for state in overview.TROUBLE for run in newest(state, 50)]
    trouble += history.failed_trees(50)
    uids = sorted({run.schedule_uid for run in trouble if run.schedule_uid})
    day_ago = now - overview.DAY
    counts = history.state_counts(day_ago)
    needs = overview.needs(trouble, history.last_runs(uids, 3), now)
    return {
        "healed": healed(now),
        "outages": history_outages(day_ago),
        "needs": [(need, reason(need)) for need in needs],
        "broken": current_app.extensions["unreadable"].read(services(), now),
        "running": [run for state in LIVE for run in newest(state, SHOWN)][:SHOWN],
        "coming": coming(now),
        "totals": [
            (state, counts.get(state, 0))
            for state in TOTALS
            if counts.get(state) or state in ALWAYS
        ],
        "moment_of": lambda run: overview.moment_of(run, now),
    }


def history_outages(since: datetime) -> list[OutageView]:
    """Return the outages that last or ended since, newest first, at most `SHOWN`."""
    return services().outages.since(since, limit=SHOWN)


def reason(need: overview.Need) -> str:
    """Return the newest run's error in one line, or the reason for a tick without a run."""
    error = (
        services().history.run(need.newest.id).error
        if need.state in values_in(RunGroup.FAILED)
        else None
    )
    if error:
        return present.first_line(error)
    if need.newest.tree_state is not None:
        return "a run that it started failed"
    return (need.newest.reason or "").replace("_", " ")


def newest(state: str, limit: int) -> list[RunView]:
    """Return the newest runs in a state, at most `limit`."""
    return services().history.runs(RunFilter(state=state), limit=limit).items


@while_away(None)
def coming(now: datetime) -> list[ScheduleRow] | None:
    """Return the schedules due in the next hour; None while Redis is away."""
    return services().schedules.due(now + timedelta(hours=1), limit=SHOWN)


@while_away([])
def unreadable(services: Services, now: datetime) -> list[ScheduleRow]:
    """Return the entries that Beat cannot run.

    The search reads every entry, hence the cache in `install`.
    """
    return services.schedules.page(state="problem", limit=SHOWN).items
