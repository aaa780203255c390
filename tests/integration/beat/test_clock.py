"""The wall clock of the server is set an hour back or forward below a Beat that runs.

Redis' TIME is what counts, so that the server runs under libfaketime, which reads its offset from a
file each time. Beat itself keeps the machine's clock, and so does this test.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from scheduler.events.schema import RunQueued, TicksMissed
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Policies, Spec
from scheduler.schedules.store import ScheduleStore
from scheduler.settings.schema import Settings
from tests.support.beat.ours import OUR_BEAT
from tests.support.builders import JOB
from tests.support.needs import missing
from tests.support.processes import start_beat
from tests.support.schedules.contents import events
from tests.support.valkey import ValkeyServer
from tests.support.waiting import stays, wait_for

HOUR = timedelta(hours=1)
LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


class Clock:
    """What the server takes for the time: so many seconds beside the machine's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.step(timedelta(0))

    def step(self, offset: timedelta) -> None:
        """Set it."""
        new = self._path.with_suffix(".new")
        new.write_text(f"{offset.total_seconds():+.0f}\n")
        new.replace(self._path)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    if not LIBRARY.exists():
        missing("libfaketime is not installed; `make system` installs it on Debian")
    return Clock(tmp_path / "offset")


@pytest.fixture
def valkey(
    clock: Clock, valkey_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ValkeyServer]:
    """A server whose clock is ours. Its monotonic clock stays the machine's, as when a clock is
    set.
    """
    server = ValkeyServer(tmp_path / "valkey", valkey_binary)
    with monkeypatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(LIBRARY))
        patch.setenv("FAKETIME_TIMESTAMP_FILE", str(tmp_path / "offset"))
        patch.setenv("FAKETIME_NO_CACHE", "1")
        patch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        server.start()
    yield server
    server.kill()  # thrown away; its end in order need not be tried with a false clock


def server_time(redis: Redis) -> datetime:
    answer: Any = redis.time()
    return datetime.fromtimestamp(answer[0], UTC)


def queued(redis: Redis) -> list[Any]:
    return [event for event in events(redis) if isinstance(event, RunQueued)]


def each_second(store: ScheduleStore, now: datetime) -> None:
    when = IntervalWhen(every=1, anchor=now.replace(microsecond=0))
    spec = Spec(name="each-second", job=JOB, when=when, policies=Policies(overlap="allow"))
    store.create(spec, edit=Edit(actor="ada", now=now))


def newest(redis: Redis) -> datetime | None:
    return max((event.facts.tick for event in queued(redis)), default=None)


def sent_once(redis: Redis) -> bool:
    return set(
        Counter((event.facts.schedule, event.facts.tick) for event in queued(redis)).values()
    ) == {1}


def test_an_hour_forward_is_an_absence(
    settings: Settings, redis: Redis, store: ScheduleStore, clock: Clock
) -> None:
    """Of the ticks of the hour the newest runs, and the others are told as missed; then it goes
    on.
    """
    beat = start_beat(settings, scheduler=OUR_BEAT)
    each_second(store, server_time(redis))
    wait_for(lambda: len(queued(redis)) >= 2, 10, "two runs")
    before = newest(redis)
    assert before is not None
    clock.step(HOUR)
    wait_for(
        lambda: (newest(redis) or before) > before + HOUR + timedelta(seconds=2), 15, "it goes on"
    )
    gone = [event for event in events(redis) if isinstance(event, TicksMissed)]
    ticks = len({event.facts.tick for event in queued(redis)})
    first = min(event.facts.tick for event in queued(redis))
    last = newest(redis)
    assert last is not None
    assert sum(event.ticks for event in gone) + ticks == (last - first).total_seconds() + 1
    assert sent_once(redis)
    assert beat.running()


def test_after_an_hour_back_no_tick_comes_twice_and_new_schedules_run(
    settings: Settings, redis: Redis, store: ScheduleStore, clock: Clock
) -> None:
    """Ticks that have run do not run again when their hour comes again; what is new, or edited, is
    not held up.
    """
    beat = start_beat(settings, scheduler=OUR_BEAT)
    each_second(store, server_time(redis))
    wait_for(lambda: len(queued(redis)) >= 2, 10, "two runs")
    clock.step(-HOUR)
    wait_for(
        lambda: server_time(redis) < datetime.now(UTC) - HOUR / 2,  # noqa: TID251
        10,
        "the server's clock is back",
    )
    sent = len(queued(redis))
    stays(lambda: len(queued(redis)) <= sent + 1, 2.5)
    assert sent_once(redis)
    now = server_time(redis)
    when = IntervalWhen(every=1, anchor=now)
    store.create(
        Spec(name="new", job=JOB, when=when, policies=Policies(overlap="allow")),
        edit=Edit(actor="ada", now=now),
    )
    wait_for(
        lambda: sum(event.facts.schedule == "new" for event in queued(redis)) >= 3,
        15,
        "the new one runs",
    )
    clock.step(timedelta(0))
    wait_for(
        lambda: queued(redis)[-1].facts.tick > now + HOUR / 2,
        15,
        "the clock is right again, and all go on",
    )
    assert sent_once(redis)
    assert beat.running()
