"""What a real worker asks before it starts a tick's run: what has changed since Beat has sent its
message.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from scheduler.clock import utc_now
from scheduler.dispatch.message_options import options_for
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import Rows
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.runs.lease_record import owner_text
from scheduler.schedules.changes import ASLEEP
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.builders import a_spec, every
from tests.support.processes import Process, start_worker
from tests.support.runs.stream import Stream
from tests.support.waiting import stays, wait_for

NEXT = timedelta(hours=1)


class Sent:
    """A schedule, and its ticks sent as Beat sends them: counted as alive, then put into the
    queue.
    """

    def __init__(self, services: Services, schedule: Schedule, anchor: datetime) -> None:
        self.services = services
        self.schedule = schedule
        self.ticks = [anchor + NEXT * number for number in range(1, 20)]

    def tick(self, **held: Any) -> str:
        """Send another tick; its run's id."""
        tick = self.ticks.pop(0)
        run = run_id(self.schedule.uid, tick)
        self.services.leases.announce(run, owner_text(self.schedule.uid, self.schedule.name))
        options = options_for(self.schedule, tick, {}, WaitingTick(tick, **held) if held else None)
        self.services.celery.send_task(self.schedule.job, self.schedule.args, **options)
        return run


@pytest.fixture
def make(services: Services, worker: Process) -> Callable[..., Sent]:
    """Makes a schedule whose ticks are sent by hand."""

    def make(job: str, *args: Any, **policies: Any) -> Sent:
        wait_for(lambda: services.catalogue.get(job), 20, "the worker offers its jobs")
        anchor = (utc_now() - NEXT / 2).replace(microsecond=0)
        spec = a_spec(
            "due", job, args=list(args), when=every(3600, anchor), policies=Policies(**policies)
        )
        return Sent(
            services, services.schedules.create(spec, edit=Edit(actor="ada", now=anchor)), anchor
        )

    return make


def paused(sent: Sent) -> None:
    sent.services.operations.pause(
        "due", reason="the bank is closed", edit=Edit(actor="ada", now=utc_now())
    )


def switched_off(sent: Sent) -> None:
    sent.services.schedules.set_enabled("due", False, edit=Edit(actor="ada", now=utc_now()))


def skipped(sent: Sent) -> None:
    sent.services.operations.skip("due", edit=Edit(actor="ada", now=utc_now()))


def deleted(sent: Sent) -> None:
    sent.services.schedules.delete("due", edit=Edit(actor="ada", now=utc_now()))


def made_anew(sent: Sent) -> None:
    deleted(sent)
    sent.services.schedules.create(sent.schedule.spec(), edit=Edit(actor="ada", now=utc_now()))


REASONS = {
    paused: "paused",
    switched_off: "operator",
    skipped: "operator",
    deleted: "operator",
    made_anew: "operator",
}


@pytest.mark.parametrize(
    ("change", "reason"), REASONS.items(), ids=lambda given: getattr(given, "__name__", given)
)
def test_a_tick_does_not_start_when_its_schedule_is_paused_off_skipped_or_deleted_meanwhile(
    change: Callable[[Sent], None],
    reason: str,
    make: Callable[..., Sent],
    stream: Stream,
    services: Services,
) -> None:
    sent = make("tests.add", 1)
    change(sent)
    run = sent.tick()
    end = stream.end(run, timeout=30)
    assert (end.kind, end.reason, end.attempt) == ("run.skipped", reason, 1)
    assert "run.started" not in stream.kinds(run)
    assert services.leases.known([run]) == set()
    wait_for(lambda: not services.redis.exists("unacked"), 10, "its message is acknowledged")
    row = fold(Rows(), [*stream.of(run)]).runs[run]
    assert (row.state, row.reason, row.schedule, row.tick is None) == (
        "skipped",
        reason,
        "due",
        False,
    )


def test_a_tick_that_waits_has_its_turn_when_the_one_before_it_is_skipped(
    make: Callable[..., Sent], stream: Stream, services: Services, redis: Redis
) -> None:
    sent = make("tests.add", 1, overlap="queue_one")
    paused(sent)
    tick = utc_now()
    redis.zadd(
        keys.WAITING_PREFIX + sent.schedule.uid,
        {WaitingTick(tick, "backfill", "ada").text: tick.timestamp()},
    )
    assert redis.zscore(keys.SCHEDULE_ZSET, keys.entry("due")) == ASLEEP
    stream.end(sent.tick())
    looked_at = redis.zscore(keys.SCHEDULE_ZSET, keys.entry("due"))
    assert looked_at is not None
    assert tick.timestamp() <= looked_at <= utc_now().timestamp()


@pytest.mark.parametrize(
    "held", [{"trigger": "backfill", "actor": "ada"}, {"trigger": "schedule", "actor": "ada"}]
)
def test_what_an_operator_asked_for_is_not_held_by_a_pause(
    held: dict[str, str], make: Callable[..., Sent], stream: Stream
) -> None:
    sent = make("tests.add", 1)
    paused(sent)
    assert stream.end(sent.tick(**held)).kind == "run.succeeded"


def test_nor_is_a_run_by_hand_not_even_beside_another_run(
    make: Callable[..., Sent],
    stream: Stream,
    services: Services,
    job_settings: Settings,
    tmp_path: Path,
) -> None:
    start_worker(job_settings)
    sent = make("tests.wait", 6, str(tmp_path / "mark"))
    first = sent.tick()
    wait_for(lambda: "run.started" in stream.kinds(first), 20, "the tick's run begins")
    paused(sent)
    by_hand = services.control.start(sent.schedule, actor="ada", now=utc_now())
    wait_for(lambda: "run.started" in stream.kinds(by_hand), 20, "the run by hand begins")
    assert "run.succeeded" not in stream.kinds(first)


def test_two_workers_that_take_two_messages_at_once_start_one_of_them(
    make: Callable[..., Sent], stream: Stream, job_settings: Settings, tmp_path: Path
) -> None:
    start_worker(job_settings)
    mark = tmp_path / "mark"
    sent = make("tests.wait", 4, str(mark))
    ends = [stream.end(run) for run in [sent.tick(), sent.tick()]]
    assert sorted(end.kind for end in ends) == ["run.skipped", "run.succeeded"]
    assert {getattr(end, "reason", "overlap") for end in ends} == {"overlap"}
    assert mark.read_text().split() == ["begin", "end"]


@pytest.mark.parametrize("overlap", ["queue_one", "queue_all", "cancel_previous"])
def test_with_a_policy_that_keeps_ticks_the_second_one_waits_for_the_end_of_the_first(
    overlap: str, make: Callable[..., Sent], stream: Stream, job_settings: Settings, tmp_path: Path
) -> None:
    start_worker(job_settings, concurrency=2)
    mark = tmp_path / "mark"
    sent = make("tests.wait", 2, str(mark), overlap=overlap)
    runs = [sent.tick(), sent.tick(), sent.tick()]
    assert {stream.end(run, timeout=40).kind for run in runs} == {"run.succeeded"}
    assert mark.read_text().split() == ["begin", "end"] * 3
    assert {stream.kinds(run).count("run.received") for run in runs} == {1}


def test_with_allow_both_run_at_a_time(
    make: Callable[..., Sent], stream: Stream, job_settings: Settings, tmp_path: Path
) -> None:
    start_worker(job_settings)
    mark = tmp_path / "mark"
    sent = make("tests.wait", 4, str(mark), overlap="allow")
    runs = [sent.tick(), sent.tick()]
    assert {stream.end(run).kind for run in runs} == {"run.succeeded"}
    assert mark.read_text().split() == ["begin", "begin", "end", "end"]
    assert {stream.kinds(run).count("run.received") for run in runs} == {1}


def test_a_further_attempt_is_of_a_run_that_was_let_in(
    make: Callable[..., Sent], stream: Stream
) -> None:
    sent = make("tests.flaky", 1, retries=1, retry_backoff=2)
    run = sent.tick()
    wait_for(lambda: "run.retried" in stream.kinds(run), 20, "the first attempt fails")
    paused(sent)
    assert (stream.end(run).kind, stream.end(run).attempt) == ("run.succeeded", 2)


def test_nor_is_a_further_attempt_asked_whose_message_comes_after_a_pause(
    make: Callable[..., Sent], stream: Stream
) -> None:
    sent = make("tests.wait", 60, run_timeout=2, retries=1, retry_backoff=0.1)
    run = sent.tick()
    wait_for(lambda: "run.started" in stream.kinds(run), 20, "the first attempt begins")
    paused(sent)
    end = stream.end(run)
    assert (end.kind, end.attempt) == ("run.failed", 2)
    assert stream.kinds(run).count("run.started") == 2


def test_a_schedule_that_redis_has_lost_is_waited_for(
    make: Callable[..., Sent], stream: Stream, redis: Redis
) -> None:
    sent = make("tests.add", 1)
    entry: Any = redis.hgetall(keys.entry("due"))
    redis.delete(keys.entry("due"))
    run = sent.tick()
    wait_for(lambda: redis.exists("unacked"), 20, "a worker takes it")
    stays(lambda: "run.started" not in stream.kinds(run), 1, "it waits")
    redis.hset(keys.entry("due"), mapping=entry)
    assert stream.end(run).kind == "run.succeeded"


def test_a_run_of_which_redis_has_no_memory_starts(
    make: Callable[..., Sent], stream: Stream
) -> None:
    sent = make("tests.add", 1)
    deleted(sent)
    options = options_for(sent.schedule, utc_now(), {})
    sent.services.celery.send_task(sent.schedule.job, sent.schedule.args, **options)
    assert stream.end(str(options["task_id"])).kind == "run.succeeded"


def test_an_entry_that_cannot_be_read_or_a_server_that_refuses_the_question_loses_no_run(
    make: Callable[..., Sent], stream: Stream, redis: Redis, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    sent = make("tests.wait", 0, str(mark))
    redis.hset(keys.entry("due"), "definition", "no JSON")
    assert stream.end(sent.tick()).kind == "run.succeeded"
    mark.unlink()
    tick = sent.ticks.pop(0)
    alive = keys.ALIVE_PREFIX + sent.schedule.uid
    redis.set(alive, "not what the question is about")
    options = options_for(sent.schedule, tick, {})
    sent.services.celery.send_task(sent.schedule.job, sent.schedule.args, **options)
    wait_for(mark.exists, 20, "the job begins")
    redis.delete(alive)
    assert stream.end(run_id(sent.schedule.uid, tick)).kind == "run.succeeded"


def test_a_tick_that_is_late_for_its_worker_expires_and_does_not_count_as_skipped(
    make: Callable[..., Sent], stream: Stream
) -> None:
    sent = make("tests.add", 1, starting_deadline=1)
    sent.ticks.insert(0, sent.ticks[0] - NEXT)
    paused(sent)
    run = sent.tick()
    end = stream.end(run)
    assert end.kind == "run.expired"
    assert "passed while it waited in the queue default" in end.reason
    assert (end.facts.schedule, end.facts.job) == ("due", "tests.add")
    stays(lambda: "run.skipped" not in stream.kinds(run), 1)
