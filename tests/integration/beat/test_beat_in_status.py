"""What `beatdesk status` says of Beat, from the lock, from what each Beat says of itself, and from
the outbox.
"""

from datetime import timedelta
from typing import Any

import pytest

from scheduler.beat import heartbeat
from scheduler.beat.heartbeat import Heartbeat
from scheduler.clock import utc_now
from scheduler.health.status import LATE_AFTER_SECONDS, Part, beat_part
from scheduler.publishing.outbox import LONG_SECONDS
from scheduler.services.services import Services
from scheduler.storage import keys


def told(services: Services, name: str = "h:1:x", ago: float = 1, **said: Any) -> None:
    """A Beat has said this of itself."""
    at = utc_now() - timedelta(seconds=ago)
    said = {"leads": True, "epoch": 7, "way": "atomic"} | said
    heartbeat.write(services.redis, Heartbeat(name=name, at=at, host="h", pid=1, **said))


def part(services: Services, holder: str = "7:h:1:x") -> Part:
    """The answer, where the lock has this holder."""
    services.redis.set(keys.BEAT_LOCK, holder, px=2000)
    return beat_part(services, utc_now())


def test_a_leader_that_is_well_tells_its_path_its_epoch_and_who_stands_by(
    services: Services,
) -> None:
    told(services)
    told(services, "h:2:y", leads=False)
    told(services, "h:3:z", leads=False, ago=16)
    services.redis.hset(keys.ASIDE_HASH, mapping={"bad": "{}", "worse": "{}"})
    well = part(services)
    assert well.ok
    assert "path atomic, epoch 7, 1 stand-by, 2 schedules set aside" in well.summary
    assert "outbox" not in well.summary
    said = {
        "leader": "7:h:1:x",
        "path": "atomic",
        "epoch": 7,
        "stand_bys": 1,
        "set_aside": 2,
        "lag_seconds": 0.0,
    }
    assert said.items() <= well.facts.items()
    assert "outbox_entries" not in well.facts
    assert 0.9 <= float(str(well.facts["last_tick_seconds"])) <= 1.5, (
        "the lock lives 3 s, and has 2 left"
    )


def test_without_a_holder_nothing_is_fired_whatever_beats_say(services: Services) -> None:
    told(services)
    gone = beat_part(services, utc_now())
    assert not gone.ok
    assert "no Beat is leading" in gone.summary
    assert gone.remedy


@pytest.mark.parametrize(
    ("said", "ok", "words"),
    [
        ({"lag": LATE_AFTER_SECONDS}, True, "path atomic"),
        ({"lag": LATE_AFTER_SECONDS + 1}, False, "runs are 31 s late"),
        ({"blocked_by": "no answer"}, False, "cannot send: no answer"),
        ({"way": "outbox", "waiting": 0}, True, "path outbox"),
        (
            {"way": "outbox", "waiting": 1, "waiting_seconds": LONG_SECONDS},
            True,
            "1 run in the outbox for 30 s",
        ),
        (
            {"way": "outbox", "waiting": 2, "waiting_seconds": LONG_SECONDS + 1},
            False,
            "2 runs in the outbox for 31 s",
        ),
        (
            {"waiting": 2, "waiting_seconds": 99, "blocked_by": "no route"},
            False,
            "2 runs in the outbox for 99 s: no route",
        ),
        ({"waiting": 2, "waiting_seconds": 99, "lag": 99}, False, "2 runs in the outbox for 99 s"),
    ],
)
def test_what_waits_or_is_late_for_too_long_is_not_well(
    services: Services, said: dict[str, Any], ok: bool, words: str
) -> None:
    told(services, **said)
    found = part(services)
    assert (found.ok, words in found.summary, bool(found.remedy)) == (ok, True, not ok), found
    shown = said.get("waiting") is not None
    assert found.facts.get("outbox_entries") == (said["waiting"] if shown else None)
    assert ("outbox_seconds" in found.facts) == shown


def test_the_word_of_a_beat_counts_only_while_that_very_beat_has_the_lock(
    services: Services,
) -> None:
    told(services, lag=99)
    assert not part(services).ok
    for holder in ("8:other:1:x", "7:a-h:1:x", "stock's own"):
        stock = part(services, holder)
        assert (stock.ok, stock.facts["path"]) == (True, "stock")
    services.redis.xadd(keys.OUTBOX_STREAM, {"call": "{}"})
    left = part(services, "stock's own")
    assert (left.ok, left.facts["outbox_entries"]) == (False, 1)
