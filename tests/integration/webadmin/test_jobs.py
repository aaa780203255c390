"""The catalogue's screen: what workers offer, and what of it is gone."""

from datetime import timedelta

import pytest

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from tests.support.builders import a_spec
from tests.support.webadmin.schedule_desk import offer_jobs
from tests.support.webadmin.visitor import Visitor

OURS = Job(
    name="shop.restock",
    title="Restock",
    doc="Fill the shelves.",
    module="shop.tasks",
    queue="bulk",
    soft_time_limit=300,
    time_limit=310,
    retries=5,
    parameters=[
        Parameter(
            name="days",
            annotation="int",
            required=False,
            default=1,
            doc="how <many> days",
            json_schema={"type": "integer", "minimum": 1, "maximum": 31},
        )
    ],
)


@pytest.fixture(autouse=True)
def published(services: Services) -> None:
    """One job that a living worker offers, and one whose worker is gone."""
    offer_jobs(services)
    now = utc_now()
    worker = Worker(
        name="w1@host", pid=1, host="host", at=now, jobs=["shop.restock", "reports.summary"]
    )
    services.catalogue.publish([OURS], worker, now)
    long_ago = now - timedelta(hours=2)
    gone = Worker(name="w2@host", pid=1, host="host", at=long_ago, jobs=["shop.gone"])
    services.catalogue.publish([Job(name="shop.gone", module="shop.old")], gone, long_ago)


def test_the_list_has_every_job_with_its_queue_and_says_which_are_gone(viewer: Visitor) -> None:
    page = viewer.get("/jobs/").text
    assert 'href="/jobs/shop.restock/"' in page
    assert "bulk" in page
    row = page.split('href="/jobs/shop.gone/"')[1].split("</tr>")[0]
    assert "Gone" in row
    assert "Gone" not in page.split('href="/jobs/shop.restock/"')[1].split("</tr>")[0]


def test_a_job_has_its_parameters_limits_and_workers(viewer: Visitor) -> None:
    page = viewer.get("/jobs/shop.restock/").text
    for said in (
        "Fill the shelves.",
        "how &lt;many&gt; days",
        "1 to 31",
        "5 at most",
        "5 min",
        "w1@host",
    ):
        assert said in page
    assert "This job is gone" not in page
    assert "Schedule it" not in page


def test_a_job_that_is_gone_says_so_with_its_schedules_and_may_be_forgotten_by_an_admin(
    admin: Visitor, operator: Visitor, services: Services
) -> None:
    services.schedules.create(
        a_spec("old", "shop.gone"), edit=Edit(actor="ada@example.org", now=utc_now())
    )
    page = operator.get("/jobs/shop.gone/").text
    assert "This job is gone." in page
    assert "one schedule names it" in page
    assert 'href="/schedules/old/"' in page
    assert "Job is gone" in operator.get("/schedules/").text
    assert (
        "No worker has registered the job &#39;shop.gone&#39;"
        in operator.get("/schedules/old/").text
    )
    assert operator.post("/jobs/shop.gone/forget").status_code == 403
    assert "off the list" in admin.post("/jobs/shop.gone/forget", follow_redirects=True).text
    assert services.catalogue.get("shop.gone") is None


def test_a_job_that_lives_is_not_forgotten(admin: Visitor, services: Services) -> None:
    page = admin.post("/jobs/shop.restock/forget", follow_redirects=True).text
    assert "is offered by w1@host" in page
    assert services.catalogue.get("shop.restock") is not None


def test_a_job_that_nobody_knows_is_not_found(viewer: Visitor) -> None:
    answer = viewer.get("/jobs/shop.restok/")
    assert answer.status_code == 404
    assert "did you mean shop.restock" in answer.text
