"""The message audit: a run whose message is gone has a verdict, and no other run has one."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from redis import Redis

from scheduler.catalogue.catalogue import Catalogue
from scheduler.catalogue.records import Worker
from scheduler.errors import Unavailable
from scheduler.events.schema import RunQueued, run_event
from scheduler.history.queries.open_runs import OpenRuns
from scheduler.queues.contents import PART, lists_of
from scheduler.reconciling.audit import Behind, MessageAudit
from scheduler.storage import keys
from tests.support.builders import facts_of
from tests.support.runs.audited import QUEUE, Audited
from tests.support.valkey import ValkeyServer


def test_a_purged_run_has_a_verdict_and_its_schedule_goes_on(audited: Audited) -> None:
    run = audited.sent()
    assert audited.looks().suspects == []
    audited.redis.delete(QUEUE)
    assert audited.looks().suspects == [run]
    assert audited.row(run).state == "queued"
    assert audited.looks().ended == [run]
    row = audited.row(run)
    assert (row.state, row.reason) == ("lost", "message_gone")
    assert row.error == (
        "its message is gone from the queue 'later': purged, or taken by a worker that is not "
        "Beatdesk's"
    )
    assert audited.redis.exists(keys.LEASES_ZSET, keys.LEASE_OWNERS_HASH) == 0
    assert audited.redis.exists(keys.ALIVE_PREFIX + audited.schedule.uid) == 0
    assert audited.looks() == ([], [], 0)


def test_a_run_sent_by_name_has_a_verdict_too_and_one_of_many(audited: Audited) -> None:
    runs = [audited.by_name(priority=number % 10) for number in range(40)]
    gone = runs[13]
    for key in lists_of(QUEUE):
        for text in audited.redis.lrange(key, 0, -1):
            if gone in text:
                audited.redis.lrem(key, 1, text)
    audited.looks()
    assert audited.looks().ended == [gone]
    assert [audited.row(run).state for run in runs].count("queued") == 39


@pytest.mark.parametrize("place", ["queue", "taken", "given back", "worker", "outbox", "elsewhere"])
def test_a_run_with_a_trace_has_no_verdict(audited: Audited, place: str) -> None:
    run = audited.sent()
    if place in {"taken", "given back"}:
        audited.taken()
    if place == "given back":
        audited.given_back(run)
    if place == "worker":
        audited.taken()
        audited.received(run)
        audited.acknowledged(run)
    if place == "outbox":
        audited.redis.delete(QUEUE)
        call = {"job": "j", "args": [], "kwargs": {}, "options": {"task_id": run, "headers": {}}}
        audited.redis.xadd(keys.OUTBOX_STREAM, {"call": json.dumps(call)})
    if place == "elsewhere":
        audited.redis.rename(QUEUE, "a-queue-that-nobody-named")
    for _ in range(3):
        assert audited.looks() == ([], [], 1)
    assert audited.row(run).state == "queued"


def test_every_message_of_long_lists_is_found_also_while_they_move(audited: Audited) -> None:
    runs = {audited.by_name() for _ in range(PART + 20)}
    assert audited.looks() == ([], [], len(runs))
    while audited.taken():
        pass
    assert audited.looks() == ([], [], len(runs))


def test_a_run_that_ends_between_two_looks_keeps_its_end(audited: Audited) -> None:
    run = audited.sent()
    audited.taken()
    audited.acknowledged(run)
    assert audited.looks().suspects == [run]
    audited.started(run)
    audited.ended(run)
    assert audited.looks() == ([], [], 0)
    assert audited.row(run).state == "succeeded"


def test_a_run_of_which_news_came_in_between_is_looked_for_anew(audited: Audited) -> None:
    run = audited.sent()
    audited.redis.delete(QUEUE)
    assert audited.looks().suspects == [run]
    audited.received(run)
    audited.failed_once(run)
    assert audited.looks().suspects == [run]
    assert audited.looks().ended == [run]
    row = audited.row(run)
    assert (row.state, row.reason) == ("lost", "message_gone")
    assert [(each.number, each.state) for each in row.attempts] == [(1, "failed")]


def test_a_worker_that_takes_a_run_just_before_the_verdict_keeps_it(audited: Audited) -> None:
    run = audited.sent()
    audited.redis.delete(QUEUE)
    audited.looks()
    record = audited.services.leases.records([run])[run]
    audited.received(run)
    event = run_event(RunQueued, "x", 1, audited.now, facts=facts_of(audited.schedule))
    audited.services.events.tell([(event.model_copy(update={"run": run}), "gone", record)])
    assert audited.services.leases.records([run])[run] != record
    assert audited.looks().ended == []


def test_a_cancelled_run_without_a_message_is_revoked_by_who_cancelled_it(audited: Audited) -> None:
    run = audited.by_name()
    audited.redis.delete(QUEUE)
    audited.services.control.cancel(run, "bob", audited.now)
    audited.looks()
    assert audited.looks().ended == [run]
    row = audited.row(run)
    assert (row.state, row.reason, row.error) == ("revoked", "operator", "cancelled by bob")


def test_a_running_run_that_nobody_has_is_lost_with_the_time_of_its_last_sign(
    audited: Audited,
) -> None:
    run = audited.by_name()
    audited.taken()
    audited.started(run)
    since = audited.now
    audited.acknowledged(run)
    audited.redis.delete(keys.LEASES_ZSET, keys.LEASE_OWNERS_HASH)
    audited.looks()
    assert audited.looks().ended == [run]
    row = audited.row(run)
    assert (row.state, row.reason) == ("lost", "no_trace")
    assert row.error.startswith(f"nothing is known of it since {since:%Y-%m-%d %H:%M:%S} UTC")


def test_nothing_is_decided_while_sql_is_behind_or_the_broker_is_away(
    audited: Audited, valkey: ValkeyServer
) -> None:
    audited.sent()
    audited.redis.delete(QUEUE)
    audited.looks()
    audited.by_name()
    audited.audit.patience = 0.2
    with pytest.raises(Behind):
        audited.audit.look(audited.now + timedelta(seconds=60))
    valkey.stop()
    with pytest.raises(Unavailable):
        audited.audit.look(audited.now + timedelta(seconds=60))


def test_a_fresh_run_is_left_alone(audited: Audited) -> None:
    audited.sent()
    audited.redis.delete(QUEUE)
    assert audited.looks(after=1) == ([], [], 0)


def test_nothing_is_decided_from_an_older_copy_of_the_history(audited: Audited) -> None:
    audited.sent()
    audited.looks()
    audited.redis.hincrby(keys.HISTORY_HASH, "batches", 5)
    audited.redis.delete(QUEUE)
    with pytest.raises(Unavailable, match="the history went back in time"):
        audited.audit.look(audited.now + timedelta(seconds=60))


class Interrupted(Catalogue):
    """A catalogue that does something in the midst of a look: it is read after the open runs."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.meanwhile: Callable[[], object] = lambda: None

    def workers(self, now: datetime | None = None) -> list[Worker]:
        self.meanwhile()
        return super().workers(now)


def test_a_run_that_ends_in_the_midst_of_a_look_is_not_lost(audited: Audited) -> None:
    services = audited.services
    catalogue = Interrupted(audited.redis)
    audited.audit = MessageAudit(
        audited.redis,
        services.celery,
        open_runs=OpenRuns(services.engine),
        stream=services.events,
        leases=services.leases,
        cancellations=services.cancellations,
        catalogue=catalogue,
    )
    run = audited.sent()
    audited.taken()
    audited.acknowledged(run)
    assert audited.looks().suspects == [run]

    def end() -> None:
        audited.ended(run)
        audited.records()

    catalogue.meanwhile = end
    assert audited.looks() == ([], [], 1)
    assert audited.row(run).state == "succeeded"
