"""Outages are rows of the history, and name the reason of what was skipped meanwhile."""

import json
from datetime import timedelta

from click.testing import CliRunner

from scheduler.catalogue.records import Worker
from scheduler.cli import cli
from scheduler.events.schema import RunQueued, TicksSkipped, run_event
from scheduler.history.recording.surroundings import forget_before
from scheduler.rules.model.identity import run_id
from scheduler.schedules.store import ScheduleStore
from scheduler.services import watches
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import NOON, a_schedule, facts_of
from tests.support.history.recording import record
from tests.support.ledger.watching import Watched

SECOND = timedelta(seconds=1)


def a_sign_of_life(services: Services, seconds: int) -> None:
    worker = Worker(
        name="w@shop", pid=1, host="shop", at=NOON + seconds * SECOND, queues=["default"]
    )
    services.catalogue.heartbeat(worker)


def test_a_killed_worker_is_an_outage_until_it_is_back(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    services.catalogue.leave("w")
    watch = watches.surroundings_watch(services)
    a_sign_of_life(services, 0)
    for seconds in (5, 20, 40, 70):
        watch.look(NOON + seconds * SECOND)
    record(services)
    found = services.outages.open()
    assert {(one.of, one.name, one.began_at) for one in found} == {
        ("worker", "w@shop", NOON),
        ("workers", "all workers", NOON),
        ("queue", "default", NOON),
    }
    a_sign_of_life(services, 90)
    watches.surroundings_watch(services).look(NOON + 91 * SECOND)
    record(services)
    assert services.outages.open() == []
    ends = {one.ended_at for one in services.outages.since(NOON)}
    assert ends == {NOON + 91 * SECOND}


def test_a_gap_in_the_watch_is_an_outage_of_all_recorders(
    services: Services, watched: Watched
) -> None:
    watches.surroundings_watch(services).look(NOON)
    watches.surroundings_watch(services).look(NOON + 10 * SECOND)
    watches.surroundings_watch(services).look(NOON + 600 * SECOND)
    record(services)
    (gap,) = services.outages.since(NOON, of="recorder")
    assert (gap.name, gap.began_at, gap.ended_at) == (
        "all recorders",
        NOON + 10 * SECOND,
        NOON + 600 * SECOND,
    )


def test_a_tick_that_was_skipped_for_overlap_names_the_run_that_waited_and_why(
    services: Services, store: ScheduleStore, watched: Watched
) -> None:
    services.catalogue.leave("w")
    watch = watches.surroundings_watch(services)
    a_sign_of_life(services, 0)
    for seconds in (5, 70, 140):
        watch.look(NOON + seconds * SECOND)
    schedule = a_schedule()
    first, second = NOON + 180 * SECOND, NOON + 240 * SECOND
    run = run_id(schedule.uid, first)
    skipped = TicksSkipped(
        at=second,
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=1,
        job=schedule.job,
        reason="overlap",
        tick_from=second,
        tick_to=second,
        ticks=1,
    )
    queued = run_event(RunQueued, run, 1, first, facts=facts_of(schedule, first))
    record(services, queued, skipped)
    (row, _) = watched.rows(schedule.name)[::-1]
    shown = services.history.run(row.id)
    assert (shown.reason, shown.blocker) == ("overlap", run)
    assert shown.detail == (
        "the run of 2026-11-21T12:03:00Z waits: no worker listens to 'default' since "
        "2026-11-21T12:00:00Z"
    )


def test_outages_are_listed_by_the_command_and_forgotten_after_a_while(
    services: Services, watched: Watched
) -> None:
    watched.stop_leading()
    watch = watches.surroundings_watch(services)
    watch.look(NOON)
    watch.look(NOON + 20 * SECOND)
    watched.lead()
    watch.look(NOON + 30 * SECOND)
    record(services)
    command = ["outages", "--of", "beat", "--since", "2026-11-21T00:00:00Z", "--json"]
    printed = CliRunner().invoke(cli, command, obj=services)
    (item,) = json.loads(printed.output)["items"]
    assert (item["name"], item["began_at"], item["ended_at"]) == (
        "Beat",
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:30Z",
    )
    table = CliRunner().invoke(cli, command[:-1], obj=services)
    assert "30 seconds" in table.output
    assert services.outages.facts("leader", NOON, NOON + 60 * SECOND) != []
    forget_before(services.engine, NOON + 60 * SECOND)
    assert services.outages.since(NOON, of="beat") == []
    assert services.outages.facts("leader", NOON, NOON + 60 * SECOND) == []


def test_the_lengths_of_queues_are_facts(services: Services, watched: Watched) -> None:
    a_sign_of_life(services, 0)
    services.redis.lpush("default", "a message")
    services.redis.lpush("default" + keys.PRIORITY_STEPS[2], "a message")
    watches.surroundings_watch(services).look(NOON)
    record(services)
    (fact,) = services.outages.facts("depth", NOON, NOON + SECOND)
    assert (fact.name, fact.value) == ("default", 2)
