"""Which role starts a job by its page, and what the worker gets of it: role × job."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Spec
from scheduler.services.services import Services
from tests.support.schedules.contents import messages
from tests.support.webadmin.visitor import Visitor

JOBS = {"cleanup.all": "admin", "reports.all": "operator"}


@pytest.fixture
def _schedules(services: Services) -> None:
    """A schedule of each job, saved on the machine, an hour old."""
    now = utc_now()
    worker = Worker(name="w", pid=1, host="h", at=now, jobs=list(JOBS))
    days = Parameter(name="days", required=False)
    jobs = [
        Job(name=name, least_role=role, queue="bulk", parameters=[days])
        for name, role in JOBS.items()
    ]
    services.catalogue.publish(jobs, worker, now)
    for job in JOBS:
        spec = Spec(name=job, job=job, when=IntervalWhen(every=60))
        edit = Edit(actor="cli:ada", now=now - timedelta(hours=1))
        services.schedules.create(spec, edit=edit)


@pytest.mark.usefixtures("_schedules")
@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("role", ["operator", "admin"])
def test_a_run_is_started_by_the_roles_of_the_table_with_an_approval_where_needed(
    logged_in: Callable[[str], Visitor], services: Services, job: str, role: str
) -> None:
    visitor = logged_in(role)
    page = visitor.post(f"/schedules/{job}/run", follow_redirects=True)
    sent = messages(services.redis, "bulk")
    if (role, JOBS[job]) == ("operator", "admin"):
        assert "needs the role admin, and yours is operator" in page.text
        assert sent == []
        return
    (message,) = sent
    own = message["headers"]["beatdesk"]
    assert ("approval" in own) == (JOBS[job] == "admin")
