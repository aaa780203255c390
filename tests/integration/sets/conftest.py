"""The command line where a worker offers `demo.plain` and `demo.greet`."""

import pytest

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from tests.support.commands import Commands


@pytest.fixture
def beatdesk(services) -> Commands:
    """`beatdesk(…)`."""
    now = utc_now()
    greet = Job(name="demo.greet", parameters=[Parameter(name="whom", annotation="str")])
    worker = Worker(name="w1@host", pid=1, host="host", at=now, jobs=["demo.greet", "demo.plain"])
    services.catalogue.publish([greet, Job(name="demo.plain")], worker, now)
    return Commands(services)
