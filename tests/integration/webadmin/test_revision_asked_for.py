"""The second of two editors is told: deleting, restoring, resetting and adopting ask for the
revision that was looked at.
"""

import pytest
from redis import Redis

from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.webadmin.samples import make_samples
from tests.support.webadmin.visitor import Visitor


@pytest.fixture
def _samples(services: Services, offered: None) -> None:
    make_samples(services, "mail.digest", {"days": 1})
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test")
    while recorder.run_once(utc_now(), 1):
        pass


def stored(services: Services, redis: Redis) -> object:
    """All schedules and calendars."""
    calendars = [services.calendars.get(name) for name in services.calendars.names()]
    entries = [redis.hgetall(key) for key in sorted(redis.scan_iter("redbeat:sample*"))]
    return calendars, entries


FORMS = {
    "/schedules/sample/delete": {},
    "/schedules/bulk-delete": {"confirmed": "yes", "name": "sample"},
    "/schedules/sample/restore": {"number": "1"},
    "/schedules/sample-static/reset": {},
    "/schedules/sample-plain/adopt": {},
    "/schedules/deleted/restore": {"name": "sample-gone", "number": "1"},
    "/calendars/sample/delete": {},
}


@pytest.mark.usefixtures("_samples")
@pytest.mark.parametrize("given", [None, "", "x", "-1", "9" * 5000])
@pytest.mark.parametrize("path", FORMS)
def test_an_action_without_the_revision_that_was_looked_at_is_refused(
    admin: Visitor, services: Services, redis: Redis, path: str, given: str | None
) -> None:
    before = stored(services, redis)
    fields = dict(FORMS[path])
    if given is not None:
        fields["revision.sample" if "bulk" in path else "revision"] = given
    page = admin.post(path, fields, follow_redirects=True)
    assert page.status_code in {200, 400, 409}
    assert stored(services, redis) == before


@pytest.mark.usefixtures("_samples")
@pytest.mark.parametrize("path", FORMS)
def test_the_second_of_two_editors_is_told(
    admin: Visitor, services: Services, redis: Redis, path: str
) -> None:
    before = stored(services, redis)
    fields = {**FORMS[path], "revision.sample" if "bulk" in path else "revision": "77"}
    page = admin.post(path, fields, follow_redirects=True)
    assert "since" in page.text or "changed" in page.text
    assert stored(services, redis) == before


@pytest.mark.usefixtures("_samples")
def test_an_entry_that_cannot_be_read_has_no_revision_and_can_be_deleted(
    admin: Visitor, services: Services, redis: Redis
) -> None:
    redis.hset("redbeat:sample", "definition", "{")
    assert admin.post("/schedules/sample/delete").status_code == 303
    assert not redis.exists("redbeat:sample")
