"""Who is away from when to when, by their signs of life."""

from datetime import datetime, timedelta

from scheduler.events.schema import FactNoted, OutageNoted
from scheduler.ledger.presence import Attendance, Presence, Sign
from tests.support.builders import NOON


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_worker(seconds: float, name: str = "w@shop", *queues: str) -> Sign:
    return Sign(name, "shop", after(seconds), queues or ("default",))


def looks(*presences: Presence, open_outages: tuple[OutageNoted, ...] = ()) -> list[OutageNoted]:
    attendance = Attendance(open_outages)
    events = [event for presence in presences for event in attendance.note(presence)]
    return [event for event in events if isinstance(event, OutageNoted)]


def in_short(events: list[OutageNoted]) -> list[tuple[str, str, datetime, datetime | None]]:
    return [(one.of, one.name, one.began_at, one.ended_at) for one in events]


def test_a_beat_that_is_away_is_an_outage_that_ends_when_one_leads() -> None:
    events = looks(
        Presence(after(0), None, (a_worker(0),)),
        Presence(after(10), None, (a_worker(10),)),
        Presence(after(20), None, (a_worker(20),)),
        Presence(after(30), "1:shop:1:x", (a_worker(30),)),
    )
    assert in_short(events) == [
        ("beat", "Beat", after(0), None),
        ("beat", "Beat", after(0), after(30)),
    ]


def test_a_change_of_the_leader_is_no_outage() -> None:
    assert (
        looks(
            Presence(after(0), "1:shop:1:x", (a_worker(0),)),
            Presence(after(10), None, (a_worker(10),)),
            Presence(after(20), "2:shop:2:y", (a_worker(20),)),
        )
        == []
    )


def test_a_worker_that_was_killed_is_away_since_its_last_sign_of_life() -> None:
    killed = a_worker(0, "w1@shop", "bulk")
    others = [Presence(after(s), "b", (killed, a_worker(s, "w2@shop"))) for s in range(0, 130, 10)]
    back = Presence(after(130), "b", (a_worker(130, "w1@shop", "bulk"), a_worker(130, "w2@shop")))
    assert in_short(looks(*others, back)) == [
        ("worker", "w1@shop", after(0), None),
        ("queue", "bulk", after(0), None),
        ("worker", "w1@shop", after(0), after(130)),
        ("queue", "bulk", after(0), after(130)),
    ]


def test_a_worker_that_left_in_order_is_not_away_and_its_queue_is_after_a_minute() -> None:
    there = Presence(after(0), "b", (a_worker(0), a_worker(0, "w2@shop", "bulk")))
    left = [Presence(after(s), "b", (a_worker(s),)) for s in (10, 40, 80)]
    assert in_short(looks(there, *left)) == [("queue", "bulk", after(10), None)]


def test_all_workers_are_away_where_none_gives_a_sign() -> None:
    dead = (a_worker(0),)
    events = looks(*(Presence(after(s), "b", dead) for s in (0, 20, 40)))
    assert ("workers", "all workers", after(0), None) in in_short(events)


def test_a_new_watcher_ends_the_outages_of_the_one_before() -> None:
    noted = OutageNoted(at=after(0), of="beat", name="Beat", began_at=after(-60))
    events = looks(Presence(after(0), "b", (a_worker(0),)), open_outages=(noted,))
    assert in_short(events) == [("beat", "Beat", after(-60), after(0))]


def test_all_open_outages_of_one_absence_end_together() -> None:
    noted = [
        OutageNoted(at=after(0), of="beat", name="Beat", began_at=after(began))
        for began in (-60, -30)
    ]
    events = looks(Presence(after(0), "b", (a_worker(0),)), open_outages=tuple(noted))
    assert in_short(events) == [
        ("beat", "Beat", after(-60), after(0)),
        ("beat", "Beat", after(-30), after(0)),
    ]


def test_a_fact_is_noted_where_it_changes_and_a_depth_once_a_minute_at_most() -> None:
    attendance = Attendance()
    facts = []
    for seconds, depth in ((0, 3), (10, 9), (60, 7), (120, 7)):
        worker = (a_worker(seconds),)
        presence = Presence(after(seconds), "b", worker, depths={"default": depth})
        facts += [event for event in attendance.note(presence) if isinstance(event, FactNoted)]
    assert [(one.of, one.value, one.at) for one in facts] == [
        ("leader", "b", after(0)),
        ("workers", {"w@shop": ["default"]}, after(0)),
        ("depth", 3, after(0)),
        ("depth", 7, after(60)),
    ]
