"""The overview: is everything well, who needs you, what runs, what comes next."""

from datetime import datetime, timedelta
from typing import Any

from flask import Flask, current_app
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
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
"""States whose number is shown even where it is 0."""

_SELDOM = (RunState.MISSED, RunState.EXPIRED, RunState.LOST, RunState.REVOKED, RunState.SKIPPED)
TOTALS = (
    *ALWAYS,
    RunState.QUEUED.value,
    RunState.RETRYING.value,
    *(state.value for state in _SELDOM),
)
"""The states in the order in which their numbers are shown."""


class HomeView(Guard, BaseView):
    """`/` and the fragments that keep it, and the bar of every page, fresh."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The overview."""
        return self.render("home/index.html", **seen(utc_now()))

    @expose("/fragments/overview")
    def live(self) -> ResponseReturnValue:
        """The overview without its frame."""
        return self.render("home/fragment.html", **seen(utc_now()))

    @expose("/fragments/health")
    def health(self) -> ResponseReturnValue:
        """The sign in the bar of every page."""
        return self.render("home/pill.html")


def install(app: Flask) -> None:
    """Let the app remember which entries cannot be read."""
    app.extensions["unreadable"] = StaleWhileRevalidate(unreadable, timedelta(minutes=1))


def seen(now: datetime) -> dict[str, Any]:
    """Everything that the overview shows. Without Redis the past is still there, and the future is
    none.
    """
    history = services().history
    trouble = [run for state in overview.TROUBLE for run in newest(state, 50)]
    uids = sorted({run.schedule_uid for run in trouble if run.schedule_uid})
    day_ago = now - overview.DAY
    counts = history.state_counts(day_ago)
    needs = overview.needs(trouble, history.last_runs(uids, 3), now)
    return {
        "healed": healed(now),
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


def reason(need: overview.Need) -> str:
    """Why, in one line: the error of the newest run, or the word that is kept for runs without
    one.
    """
    error = (
        services().history.run(need.newest.id).error
        if need.state in values_in(RunGroup.FAILED)
        else None
    )
    return present.first_line(error) if error else (need.newest.reason or "").replace("_", " ")


def newest(state: str, limit: int) -> list[RunView]:
    """The newest runs in a state."""
    return services().history.runs(RunFilter(state=state), limit=limit).items


@while_away(None)
def coming(now: datetime) -> list[ScheduleRow] | None:
    """What Beat fires in the next hour; none where Redis is away."""
    return services().schedules.due(now + timedelta(hours=1), limit=SHOWN)


@while_away([])
def unreadable(services: Services, now: datetime) -> list[ScheduleRow]:
    """Entries that Beat cannot run. To find them all entries are read, so that the answer is kept
    for a while.
    """
    return services.schedules.page(state="problem", limit=SHOWN).items
