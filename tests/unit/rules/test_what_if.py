"""What an edit changes: ticks that go, come and move."""

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduler.rules.calendars.text import calendar_of
from scheduler.rules.explain.what_if import Difference, compare
from scheduler.rules.model.spec import When, Window
from scheduler.rules.ticks import next_ticks
from tests.support.builders import NOON, a_spec, at, cron, every
from tests.support.rules.whens import whens

WEEK = NOON + timedelta(days=7)


def difference(old: When, new: When) -> Difference:
    return compare(a_spec(when=old), a_spec(when=new), NOON, WEEK)


def test_nothing_changes_where_only_the_words_do() -> None:
    found = difference(cron("0 6 * * *"), cron("0 6 * * sun-sat"))
    assert found == Difference([], [], [], 7)
    assert found.is_empty


def test_another_hour_moves_each_tick() -> None:
    found = difference(cron("0 6 * * *"), cron("0 7 * * *"))
    assert (found.gone, found.come, found.same) == ([], [], 0)
    assert found.moved == [
        (tick, tick + timedelta(hours=1)) for tick in next_ticks(cron("0 6 * * *"), NOON, 7)
    ]


def test_another_zone_moves_each_tick() -> None:
    found = difference(cron("0 6 * * *", "Europe/Berlin"), cron("0 6 * * *", "America/New_York"))
    assert [(f"{old:%d %H}", f"{new:%d %H}") for old, new in found.moved][:2] == [
        ("22 05", "22 11"),
        ("23 05", "23 11"),
    ]


def test_fewer_days_are_ticks_that_go_and_more_are_ticks_that_come() -> None:
    found = difference(cron("0 6 * * *"), cron("0 6 * * mon-fri"))
    assert [f"{tick:%a}" for tick in found.gone] == ["Sun", "Sat"]
    assert (found.come, found.moved, found.same) == ([], [], 5)
    back = difference(cron("0 6 * * mon-fri"), cron("0 6 * * *"))
    assert (back.come, back.gone, back.same) == (found.gone, [], 5)


def test_where_their_numbers_differ_ticks_go_and_come_and_none_is_said_to_move() -> None:
    found = compare(
        a_spec(when=cron("0 6,18 * * *")),
        a_spec(when=cron("0 7 * * *")),
        at("2026-11-22T00:00Z"),
        WEEK,
    )
    whole_days = [tick for tick in found.gone if tick < at("2026-11-28T00:00Z")]
    assert (len(whole_days), len(found.come), found.same) == (12, 6, 0)
    assert found.moved == [
        (at("2026-11-28T06:00Z"), at("2026-11-28T07:00Z"))
    ]  # until noon they are as many


def test_a_new_schedule_comes_and_a_deleted_one_goes() -> None:
    daily = a_spec(when=cron("0 6 * * *"))
    assert len(compare(None, daily, NOON, WEEK).come) == 7
    assert len(compare(daily, None, NOON, WEEK).gone) == 7
    assert compare(None, None, NOON, WEEK).is_empty


@pytest.mark.parametrize(
    ("old", "new", "gone", "come"), [(True, False, 7, 0), (False, True, 0, 7), (False, False, 0, 0)]
)
def test_enabling_and_disabling(old: bool, new: bool, gone: int, come: int) -> None:
    before, after = (a_spec(when=cron("0 6 * * *"), enabled=enabled) for enabled in (old, new))
    found = compare(before, after, NOON, WEEK)
    assert (len(found.gone), len(found.come)) == (gone, come)


def test_an_edit_of_a_disabled_schedule_is_compared_as_if_it_were_not() -> None:
    before = a_spec(when=cron("0 6 * * *"), enabled=False)
    after = a_spec(when=cron("0 7 * * *"), enabled=False)
    assert len(compare(before, after, NOON, WEEK).moved) == 7


def test_an_end_takes_ticks_away() -> None:
    ended = a_spec(when=cron("0 6 * * *"), window=Window(ends_at=NOON + timedelta(days=3)))
    assert len(compare(a_spec(when=cron("0 6 * * *")), ended, NOON, WEEK).gone) == 4


def test_an_interval_that_is_not_saved_yet_counts_from_now() -> None:
    assert difference(every(3600, NOON), every(3600)).is_empty


@given(old=whens, new=whens, hours=st.integers(0, 48))
def test_every_tick_of_both_versions_is_in_one_place(old: When, new: When, hours: int) -> None:
    until = NOON + timedelta(hours=hours)
    before = [tick for tick in next_ticks(old, NOON, 200) if tick <= until]
    after = [tick for tick in next_ticks(new, NOON, 200) if tick <= until]
    assume(max(len(before), len(after)) < 200)
    found = compare(a_spec(when=old), a_spec(when=new), NOON, until)
    assert sorted(found.gone + [tick for tick, _ in found.moved]) == [
        tick for tick in before if tick not in after
    ]
    assert sorted(found.come + [tick for _, tick in found.moved]) == [
        tick for tick in after if tick not in before
    ]
    assert found.same == len(set(before) & set(after))


def test_a_calendar_takes_ticks_away_and_one_that_is_gone_takes_all() -> None:
    sundays = calendar_of("closed", ["sun"])
    plain, named = (
        a_spec(when=cron("0 6 * * *")),
        a_spec(when=cron("0 6 * * *"), window=Window(calendar="closed")),
    )
    found = compare(plain, named, NOON, WEEK, after={"closed": sundays})
    assert ([f"{tick:%a}" for tick in found.gone], found.come, found.same) == (["Sun"], [], 6)
    edited = compare(
        named,
        named,
        NOON,
        WEEK,
        before={"closed": sundays},
        after={"closed": calendar_of("closed", [])},
    )
    assert ([f"{tick:%a}" for tick in edited.come], edited.same) == (["Sun"], 6)
    assert len(compare(plain, named, NOON, WEEK).gone) == 7


def test_what_a_calendar_excludes_does_not_use_up_the_runs_that_are_left() -> None:
    limits = {"when": cron("0 6 * * *"), "window": Window(calendar="closed", max_runs=2)}
    found = compare(
        None, a_spec(**limits), NOON, WEEK, after={"closed": calendar_of("closed", ["sun"])}
    )
    assert [f"{tick:%a}" for tick in found.come] == ["Mon", "Tue"]
