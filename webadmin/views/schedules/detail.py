"""The page of one schedule: state, rule, job, coming ticks, last runs, revisions."""

from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.history.queries.views import RevisionView, RunView
from scheduler.queues.unread import UnreadQueue
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Schedule
from webadmin.forms.sentences import sentence
from webadmin.forms.texts import pretty
from webadmin.forms.versions import limits
from webadmin.refusals import while_away
from webadmin.services import services
from webadmin.views.schedules import rows, statistics
from webadmin.views.schedules.adopt_reset import of_override
from webadmin.views.schedules.previews import Coming, coming_to
from webadmin.views.schedules.recent import last_runs
from webadmin.views.schedules.surroundings import facts

RUNS = 20
REVISIONS = 20


class DetailPages(BaseView):
    """`/schedules/<name>/`."""

    @expose("/<path:name>/")
    def show(self, name: str) -> ResponseReturnValue:
        """Show the page of one schedule, or of an unreadable entry."""
        return self.page(name)

    def page(self, name: str, *, kwargs: str | None = None, run_error: str | None = None) -> str:
        """Render the page; `kwargs` is the text typed for one run, `run_error` the error."""
        listed = services().schedules.listed(name)
        schedule = listed.schedule
        if schedule is None:
            return self.render(
                "schedules/list/problem.html", listed=listed, problem=sentence(listed.problem or "")
            )
        runs = last_runs([schedule.uid], RUNS)
        recent = runs.by_uid.get(schedule.uid, ())
        queue = services().queue_of(schedule)
        return self.render(
            "schedules/detail/show.html",
            schedule=schedule,
            row=rows.row(listed, (), utc_now()),
            runs=recent,
            bars=rows.bars(recent) if recent else None,
            history_away=runs.away,
            statistics=None if runs.away else statistics.recent(schedule.uid, utc_now()),
            coming=_coming(schedule, listed.runs),
            waiting=services().waiting.of(schedule.uid),
            queue=queue,
            unread=_unread(queue),
            stranded=[run for run in recent if is_stranded(run, queue)],
            limits=limits(schedule),
            override=of_override(listed),
            revisions=_revisions(schedule.uid),
            kwargs=pretty(schedule.kwargs) if kwargs is None else kwargs,
            run_error=run_error,
        )


def is_stranded(run: RunView, queue: str) -> bool:
    """Whether a run waits in a queue other than its schedule's present one."""
    return run.state == RunState.QUEUED and run.queue is not None and run.queue != queue


@while_away(None)
def _unread(queue: str) -> UnreadQueue | None:
    """Return the note about a queue that no worker reads; None for a queue with a reader."""
    unread = services().unread_queues.current(utc_now())
    return next((each for each in unread if each.name == queue), None)


def _coming(schedule: Schedule, runs: int) -> Coming | None:
    """Return the next ticks; None for a rule that cannot be computed."""
    try:
        now = utc_now()
        return coming_to(schedule, facts(schedule.uid, schedule, now), now=now, runs=runs)
    except Refused:
        return None


@while_away([])
def _revisions(uid: str) -> list[RevisionView]:
    return services().history.revisions(uid, REVISIONS)
