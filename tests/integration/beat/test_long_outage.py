"""Redis is away or stands still for a minute, below a Beat that leads and one that stands by; no
tick is missing.
"""

from datetime import datetime, timedelta

import pytest
from redis import Redis

from scheduler.beat import heartbeat
from scheduler.clock import utc_now
from scheduler.events.schema import RunQueued
from scheduler.redbeat import waiting
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Policies
from scheduler.schedules.store import ScheduleStore
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.beat.ours import OUR_BEAT
from tests.support.builders import JOB, a_spec
from tests.support.processes import start_beat
from tests.support.schedules.contents import events
from tests.support.valkey import ValkeyServer
from tests.support.waiting import stays, wait_for

SECONDS = 60
SECOND = timedelta(seconds=1)


def sent(redis: Redis) -> list[datetime]:
    """The ticks for which there was a message."""
    return [
        event.facts.tick
        for event in events(redis)
        if isinstance(event, RunQueued) and event.facts.tick
    ]


@pytest.mark.parametrize("how", [("kill", "start"), ("freeze", "thaw")], ids=["killed", "frozen"])
def test_redis_is_away_for_a_minute(
    how: tuple[str, str],
    settings: Settings,
    redis: Redis,
    store: ScheduleStore,
    valkey: ValkeyServer,
) -> None:
    beats = [
        start_beat(settings, scheduler=OUR_BEAT),
        start_beat(settings, scheduler=OUR_BEAT, wait=False),
    ]
    wait_for(lambda: len(heartbeat.read(redis, utc_now())) == 2, 20, "both are there")
    anchor = utc_now().replace(microsecond=0) + SECOND
    regardless = Policies(overlap="allow", catch_up="all")
    spec = a_spec("ticking", JOB, when=IntervalWhen(every=1, anchor=anchor), policies=regardless)
    uid = store.create(spec, edit=Edit(actor="ada", now=utc_now())).uid
    wait_for(lambda: len(sent(redis)) >= 3, 20, "it fires")

    getattr(valkey, how[0])()
    gone = utc_now()
    stays(lambda: all(beat.running() for beat in beats), SECONDS, "both live", every=0.5)
    getattr(valkey, how[1])()
    back = utc_now()

    wait_for(
        lambda: max(sent(redis)) > back,
        settings.beat_lock_timeout + 12,
        "it fires again, for what is due since",
    )
    assert all(beat.running() for beat in beats)
    wait_for(
        lambda: sorted(pulse.leads for pulse in heartbeat.read(redis, utc_now())) == [False, True],
        10,
    )
    assert str(redis.get(keys.BEAT_LOCK)).split(":", 1)[1] in {
        p.name for p in heartbeat.read(redis, utc_now()) if p.leads
    }
    given = sent(redis)
    waits = [waiting.read(text).tick for text in redis.zrange(keys.WAITING_PREFIX + uid, 0, -1)]
    ticks = sorted([*given, *waits])
    assert ticks == [ticks[0] + number * SECOND for number in range(len(ticks))], (
        "a tick is missing, or is there twice"
    )
    assert ticks[0] < gone < back < ticks[-1]
    assert redis.llen("default") + redis.llen("bulk") == len(given)
