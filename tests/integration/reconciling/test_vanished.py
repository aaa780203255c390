"""`field/vanished-message.sh`, with all processes: a purged run has a verdict within a minute, and
the ticks after it run.
"""

from datetime import timedelta
from time import monotonic

import pytest

from scheduler.clock import utc_now
from scheduler.history.queries.views import RunFilter, RunView
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from tests.support.builders import a_spec, every
from tests.support.processes import start_beat, start_recorder, start_worker
from tests.support.runs.house import with_jobs
from tests.support.waiting import wait_for


@pytest.mark.parametrize("harm", ["purge", "delete"])
def test_a_schedule_goes_on_within_a_minute_after_its_message_was_taken_away(
    services: Services, harm: str
) -> None:
    settings = with_jobs(services.settings)
    start_worker(settings, queues="default")
    start_recorder(settings)
    start_beat(settings, scheduler="beatdesk")
    wait_for(lambda: services.catalogue.get("tests.add"), 20, "the jobs are published")
    spec = a_spec("vanished", "tests.add", queue="later", when=every(2), args=[1])
    services.schedules.create(spec, edit=Edit(actor="ada", now=utc_now()))

    def runs(state: str) -> list[RunView]:
        wanted = RunFilter(schedule="vanished", state=state)
        return services.history.runs(wanted, limit=100).items

    (first,) = wait_for(lambda: runs("queued"), 20, "a tick is queued")
    if harm == "purge":
        with services.celery.connection_for_write() as connection:
            assert connection.default_channel.queue_purge("later") == 1
    else:
        services.redis.delete("later")
    began = monotonic()
    start_worker(settings, queues="later")
    (lost,) = wait_for(lambda: runs("lost"), 60, "the run has its verdict")
    assert monotonic() - began < timedelta(minutes=1).total_seconds()
    assert (lost.id, lost.reason) == (first.id, "message_gone")
    wait_for(lambda: runs("succeeded"), 20, "the ticks after it run")
    assert len(runs("lost")) == 1
