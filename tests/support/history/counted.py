"""Days of a schedule with runs, counted as the recorder counts them."""

from datetime import date, timedelta

from scheduler.clock import utc_now
from scheduler.history.recording.rollup import Rollup
from scheduler.history.recording.writer import write_events
from scheduler.rules.model.spec import Schedule
from scheduler.services.services import Services
from tests.support.builders import a_run_history

_RUNS = ((40, "succeeded", 99), (3, "succeeded", 2), (2, "succeeded", 4), (1, "failed", 1))
"""Days ago, state and seconds of each run; the first is older than the days that are shown."""


def count_recent_days(services: Services, schedule: Schedule) -> date:
    """Record a run of the schedule on each of the last three days, at 2, 4 and 1 s, the newest
    failed, and one 40 days ago, and count the days. Returns today.
    """
    noon = utc_now().replace(hour=12, minute=0, second=0, microsecond=0)
    for back, state, seconds in _RUNS:
        tick = noon - timedelta(days=back)
        history = a_run_history(
            f"run-{back}", schedule=schedule, tick=tick, state=state, seconds=seconds
        )
        write_events(services.engine, history)
    Rollup(services.engine).run_once(utc_now())
    return noon.date()
