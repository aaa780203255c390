"""A queue that no worker reads is told after a minute, with what waits in it."""

from datetime import timedelta

from scheduler.catalogue.records import Worker
from scheduler.cli.schedules.listing import say_unread
from scheduler.clock import utc_now
from scheduler.health.doctor import check_all
from scheduler.health.status import status, workers_part
from tests.support.runs.audited import QUEUE, Audited


def worker(audited: Audited, *queues: str) -> None:
    """A worker that reads these queues, alive at the audit's time."""
    record = Worker(name="w@h", pid=1, host="h", at=audited.now, queues=list(queues))
    audited.services.catalogue.heartbeat(record)


def test_a_queue_without_a_reader_is_told_after_a_minute_until_somebody_reads_it(
    audited: Audited,
) -> None:
    audited.sent()
    audited.sent()
    worker(audited, "default")
    audited.looks()
    assert workers_part(audited.services, audited.now).ok
    for _ in range(3):
        worker(audited, "default")
        audited.looks(after=25)
        worker(audited, "default")
    part = workers_part(audited.services, audited.now)
    assert not part.ok
    assert "no worker reads the queue 'later', in which 2 runs wait (since " in part.summary
    assert "-Q later" in part.remedy
    assert part.facts["unread_queues"][0]["waiting"] == 2
    worker(audited, "default", QUEUE)
    audited.looks(after=1)
    assert workers_part(audited.services, audited.now).ok


def test_a_queue_is_not_told_when_it_is_empty_again_or_no_recorder_has_looked(
    audited: Audited,
) -> None:
    audited.sent()
    for _ in range(4):
        worker(audited, "default")
        audited.looks(after=25)
    worker(audited, "default")
    assert not workers_part(audited.services, audited.now).ok
    later = audited.now + timedelta(minutes=6)
    assert audited.services.unread_queues.current(later) == []
    audited.redis.delete(QUEUE)
    audited.looks()
    worker(audited, "default")
    assert workers_part(audited.services, audited.now).ok


def test_status_doctor_and_a_schedules_page_in_commands_tell_it(audited: Audited, capsys) -> None:
    audited.now = utc_now() - timedelta(seconds=100)
    audited.sent()
    for _ in range(4):
        audited.looks(after=25)
    audited.now = utc_now()
    worker(audited, "default")
    say_unread(audited.services, audited.schedule, audited.now)
    told = capsys.readouterr().err
    assert "no worker reads the queue 'later'" in told
    assert "1 run of all schedules in it" in told
    assert not status(audited.services, audited.now).workers.ok
    checks = {part.name: part for part in check_all(audited.services, audited.now)}
    assert not checks["workers"].ok
    worker(audited, QUEUE)
    say_unread(audited.services, audited.schedule, audited.now)
    assert capsys.readouterr().err == ""
