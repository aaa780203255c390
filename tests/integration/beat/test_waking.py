"""Beat's sleep ends at once when something changes, and its time is the server's."""

import json
import os
import socket
import sys
import time
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from redis import Redis

from scheduler.beat import Scheduler, heartbeat
from scheduler.beat.watchdog import Watchdog
from scheduler.clock import utc_now
from scheduler.events.schema import RunQueued
from scheduler.health.status import beat_part
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.beat.ours import OUR_BEAT
from tests.support.builders import every
from tests.support.processes import Process, env_of, start_beat
from tests.support.schedules.contents import events
from tests.support.schedules.late import HOUR, due_since, full_second
from tests.support.waiting import wait_for


def queued(redis: Redis) -> list[RunQueued]:
    return [event for event in events(redis) if isinstance(event, RunQueued)]


def test_an_edit_is_seen_at_once_and_so_is_the_end_of_a_run_that_a_tick_waits_for(
    settings: Settings, store: ScheduleStore, redis: Redis, services: Services
) -> None:
    start_beat(settings, scheduler=OUR_BEAT)
    took = []
    for number in range(5):
        start = full_second() - timedelta(minutes=90)
        due_since(store, every(3600, start), start, f"due-{number}")
        began = monotonic()
        wait_for(lambda seen=number: len(queued(redis)) > seen, 5, every=0.002)
        took.append(monotonic() - began)
    assert sorted(took)[2] < 0.3, "half of them are there long before the next look"
    start = full_second() - 2 * HOUR
    saved = due_since(
        store,
        every(3600, start),
        start,
        "waits",
        policies=Policies(overlap="queue_all", catch_up="all", catch_up_window=86_400),
    )
    (first,) = wait_for(
        lambda: [event.run for event in queued(redis) if event.facts.schedule == "waits"], 5
    )
    services.events.forget(first)
    began = monotonic()
    second = run_id(saved.uid, start + 2 * HOUR)
    wait_for(lambda: any(event.run == second for event in queued(redis)), 5, every=0.002)
    assert monotonic() - began < 0.9


def test_a_tick_is_sent_when_it_is_due_and_intervals_do_not_drift(
    settings: Settings, store: ScheduleStore, redis: Redis
) -> None:
    start_beat(settings, scheduler=OUR_BEAT)
    anchor = full_second() + timedelta(milliseconds=250)
    due_since(store, every(1, anchor), utc_now(), "often", policies=Policies(overlap="allow"))
    wait_for(lambda: len(queued(redis)) >= 4, 10)
    for event in queued(redis):
        assert event.facts.tick is not None
        assert event.facts.tick.microsecond == 250_000
        assert 0 <= (event.at - event.facts.tick).total_seconds() < 0.5


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_clock_of_beats_host_may_be_wrong_by_an_hour(
    store: ScheduleStore, beat: Scheduler, redis: Redis, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """What is due is due by the server's clock: nothing stalls, nothing is sent twice or too
    early.
    """
    start = full_second() - timedelta(minutes=90)
    saved = due_since(store, every(3600, start), start)
    beat.tick()
    right, wrong = time.time, timedelta(hours=hours)  # noqa: TID251 - it is made wrong here
    monkeypatch.setattr(time, "time", lambda: right() + wrong.total_seconds())
    monkeypatch.setattr(beat.app, "now", lambda: utc_now() + wrong)
    for _ in range(3):
        beat.tick()
    assert [event.run for event in queued(redis)] == [run_id(saved.uid, start + HOUR)]
    second = full_second() - timedelta(seconds=2)
    due_since(store, every(3600, second - HOUR), second - HOUR, "other")
    beat.tick()
    assert len(queued(redis)) == 2


def test_beat_says_in_redis_who_it_is_and_takes_it_back_when_it_ends(
    beat: Scheduler, redis: Redis, services: Services
) -> None:
    beat.tick()
    (pulse,) = heartbeat.read(redis, utc_now())
    assert (pulse.leads, pulse.epoch, pulse.delivery_mode, pulse.pid) == (
        True,
        1,
        "atomic",
        os.getpid(),
    )
    part = beat_part(services, utc_now())
    assert part.ok
    assert part.facts["path"] == "atomic"
    assert part.facts["epoch"] == 1
    beat.close()
    assert heartbeat.read(redis, utc_now()) == []
    assert not beat_part(services, utc_now()).ok


def test_beat_answers_pings_and_goes_by_a_short_name(settings: Settings) -> None:
    beat = start_beat(settings, scheduler="beatdesk")
    assert "scheduler -> scheduler.beat.Scheduler" in beat.log

    def answers() -> Any:
        asked = Process(
            sys.executable,
            "-m",
            "celery",
            "-A",
            "scheduler",
            "inspect",
            "ping",
            "--json",
            env=env_of(settings),
        )
        return asked.wait(60) == 0 and json.loads(asked.log.strip().splitlines()[-1])

    assert [name.split("@")[0] for name in wait_for(answers, 60)] == ["celerybeat"]


@pytest.mark.parametrize("address", ["path", "abstract"])
def test_systemd_is_told_where_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    place = f"@beatdesk-test-{os.getpid()}" if address == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + place[1:] if address == "abstract" else place)
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", place)
        watchdog = Watchdog()
        assert "NOTIFY_SOCKET" not in os.environ, "children of Beat say nothing"
        watchdog.alive("leads, epoch 1")
        watchdog.alive("leads, epoch 1")
        watchdog.stopping()
        said = [systemd.recv(200).decode() for _ in range(3)]
    assert said == [
        "READY=1\nWATCHDOG=1\nSTATUS=leads, epoch 1",
        "WATCHDOG=1\nSTATUS=leads, epoch 1",
        "STOPPING=1",
    ]


def test_nothing_is_said_where_systemd_did_not_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody-listens"))
    Watchdog().alive("leads")
    assert ["systemd cannot be notified" in record.message for record in caplog.records] == [
        True
    ], "an attempt is noticed"
    caplog.clear()
    watchdog = Watchdog()
    watchdog.alive("leads")
    watchdog.stopping()
    assert caplog.records == []


def test_the_lock_lives_on_while_nothing_is_due(settings: Settings, redis: Redis) -> None:
    start_beat(settings, scheduler=OUR_BEAT)
    token = redis.get(keys.BEAT_LOCK)
    began = monotonic()
    wait_for(lambda: monotonic() - began > settings.beat_lock_timeout + 1, 30)
    assert redis.get(keys.BEAT_LOCK) == token
