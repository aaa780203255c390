"""Which role saves, switches on and restores schedules of a job that is for administrators."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.catalogue.catalogue import Catalogue
from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Spec
from scheduler.runs.approvals import Call
from scheduler.schedules.batch import DesiredSchedule
from scheduler.schedules.operations import Operations
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from tests.support.schedules.contents import plain

JOBS = {"cleanup.all": "admin", "reports.a": "operator"}


@pytest.fixture
def catalogue(redis: object) -> Catalogue:
    catalogue = Catalogue(redis)  # type: ignore[arg-type] # the fixture's client
    worker = Worker(name="w", pid=1, host="h", at=utc_now(), jobs=list(JOBS))
    days = Parameter(name="days", required=False)
    jobs = [Job(name=name, least_role=role, parameters=[days]) for name, role in JOBS.items()]
    catalogue.publish(jobs, worker, utc_now() + timedelta(0))
    return catalogue


def spec(job: str, name: str = "one") -> Spec:
    return Spec(name=name, job=job, when=IntervalWhen(every=60))


def by(role: str | None) -> Edit:
    return Edit(actor="ann@example.org", now=utc_now(), role=role)


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("role", ["operator", "admin", None])
def test_the_roles_of_the_table_may_save_the_job(
    catalogue: Catalogue, job: str, role: str | None
) -> None:
    if job == "cleanup.all" and role == "operator":
        with pytest.raises(Refused, match="needs the role admin, and yours is operator"):
            catalogue.check_role(job, role)
    else:
        catalogue.check_role(job, role)


def test_an_operator_changes_no_schedule_of_such_a_job(
    store: ScheduleStore, catalogue: Catalogue
) -> None:
    with pytest.raises(Refused, match="role admin"):
        store.create(spec("cleanup.all"), edit=by("operator"))
    with pytest.raises(Refused, match="role admin"):
        store.save_together(
            [DesiredSchedule("one", spec("cleanup.all"), None)], edit=by("operator")
        )
    made = store.create(spec("cleanup.all"), edit=by("admin"))
    with pytest.raises(Refused, match="role admin"):  # the stored job counts, too
        store.edit("one", spec("reports.a"), revision=made.revision, edit=by("operator"))
    store.set_enabled("one", False, edit=by("operator"))
    with pytest.raises(Refused, match="role admin"):
        store.set_enabled("one", True, edit=by("operator"))
    other = store.create(spec("reports.a", "two"), edit=by("operator"))
    with pytest.raises(Refused, match="role admin"):
        store.edit(
            "two",
            spec("cleanup.all", "two"),
            revision=other.revision,
            edit=replace(by("operator"), comment="x"),
        )
    assert store.set_enabled("one", True, edit=by("admin")).enabled


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("role", ["operator", "admin", None])
def test_a_saved_call_has_an_approval_where_the_worker_asks_for_one(
    store: ScheduleStore, catalogue: Catalogue, services: Services, job: str, role: str | None
) -> None:
    if (job, role) == ("cleanup.all", "operator"):
        return
    made = store.create(spec(job), edit=by(role))
    called = Call(job, [], {}, made.uid)
    assert (made.approval is not None) == (JOBS[job] == "admin")
    assert made.approval in (None, services.approvals.approve(called))
    run_approval = services.approvals.needed(called, catalogue.least_roles)
    assert run_approval == made.approval
    assert store.get("one") == made


def test_an_approval_stays_with_its_call_and_is_made_anew_by_an_administrator(
    store: ScheduleStore, catalogue: Catalogue
) -> None:
    made = store.create(spec("cleanup.all"), edit=by("admin"))
    operations = Operations(store)
    paused = operations.pause("one", reason="a while", edit=by("operator"))
    assert paused.approval == made.approval
    changed = spec("cleanup.all").model_copy(update={"kwargs": {"days": 1}})
    edited = store.edit("one", changed, revision=paused.revision, edit=by("admin"))
    assert edited.approval not in (None, made.approval)


def test_an_operators_edit_of_a_job_that_the_catalogue_lacks_approves_nothing(
    store: ScheduleStore, catalogue: Catalogue, services: Services
) -> None:
    plain(services, task="app.unknown_here")
    read = store.get("plain")
    noted = read.spec().model_copy(update={"notes": "ours now"})
    edited = store.edit("plain", noted, revision=0, edit=by("operator"))
    assert edited.approval is None
    assert store.adopt("plain", edit=by("admin")).approval is not None
