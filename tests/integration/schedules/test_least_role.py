"""Which role saves, switches on and restores schedules of a job that is for administrators."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.catalogue.catalogue import Catalogue
from scheduler.catalogue.records import Job, Worker
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Spec
from scheduler.schedules.batch import DesiredSchedule
from scheduler.schedules.store import ScheduleStore

JOBS = {"cleanup.all": "admin", "reports.a": "operator"}


@pytest.fixture
def catalogue(redis: object) -> Catalogue:
    catalogue = Catalogue(redis)  # type: ignore[arg-type] # the fixture's client
    worker = Worker(name="w", pid=1, host="h", at=utc_now(), jobs=list(JOBS))
    jobs = [Job(name=name, least_role=role) for name, role in JOBS.items()]
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
