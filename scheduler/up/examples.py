"""The example schedules of a fresh installation. Names their jobs, and imports none."""

from datetime import datetime
from typing import TYPE_CHECKING

from scheduler.errors import NameTaken
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import CrontabWhen, IntervalWhen, Spec

if TYPE_CHECKING:
    from scheduler.schedules.store import ScheduleStore

ACTOR = "beatdesk"
COMMENT = "example of a fresh installation"

EXAMPLES = (
    Spec(
        name="daily-job-summary",
        job="reports.job_summary",
        when=CrontabWhen(crontab="0 6 * * *"),
        kwargs={"days": 1},
        tags=["example", "report"],
        description="What ran yesterday, as a page and a table under Reports",
    ),
    Spec(
        name="nightly-history-cleanup",
        job="cleanup.job_history",
        when=CrontabWhen(crontab="30 3 * * *"),
        kwargs={"days": 90},
        tags=["example", "cleanup"],
        description="Deletes runs that ended more than 90 days ago",
    ),
    Spec(
        name="nightly-report-cleanup",
        job="cleanup.reports",
        when=CrontabWhen(crontab="45 3 * * *"),
        tags=["example", "cleanup"],
        description="Deletes report files that were kept long enough",
    ),
    Spec(
        name="heartbeat-demo",
        job="demo.long_task",
        when=IntervalWhen(every=300),
        kwargs={"duration": 2},
        tags=["example", "demo"],
        description="Works for two seconds every five minutes, so that there is something to see",
    ),
)


def install_examples(store: "ScheduleStore", now: datetime) -> list[str]:
    """Create the examples. Returns the names of the created ones; an existing schedule of an equal
    name is left alone.
    """
    created = []
    for spec in EXAMPLES:
        try:
            store.create(spec, edit=Edit(actor=ACTOR, now=now, comment=COMMENT))
        except NameTaken:
            continue
        created.append(spec.name)
    return created
