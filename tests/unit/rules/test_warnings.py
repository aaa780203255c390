"""What is told of a schedule before it surprises anybody, with dates."""

from typing import Any

import pytest
from hypothesis import given

from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.calendars.text import calendar_of
from scheduler.rules.explain.preview import preview
from scheduler.rules.explain.warnings import Facts, of_when, warnings
from scheduler.rules.model.spec import (
    OnceWhen,
    Policies,
    RruleWhen,
    Spec,
    When,
    Window,
)
from tests.support.builders import NOON, a_spec, at, cron, every
from tests.support.rules.whens import whens


def told(when: When) -> str:
    return " ".join(of_when(when, NOON))


def told_of(facts: Facts, **parts: Any) -> str:
    return " ".join(warnings(a_spec(**parts), NOON, facts))


def rrule(text: str, timezone: str = "Europe/Berlin") -> RruleWhen:
    return RruleWhen(rrule=text, dtstart=at("2026-01-05T01:30Z"), timezone=timezone)


def test_there_is_nothing_to_tell_of_an_ordinary_schedule() -> None:
    facts = Facts(
        usual_duration=10,
        others=[a_spec("other", kwargs={"days": 2})],
        queues=frozenset({"default"}),
    )
    assert told_of(facts, when=cron("0 6 * * mon-fri", "Europe/Berlin")) == ""
    assert told_of(facts, when=every(300)) == ""
    assert told_of(facts, when=OnceWhen(at=at("2027-01-01T00:00Z"))) == ""


@pytest.mark.parametrize(
    ("when", "sentence"),
    [
        (
            cron("30 2 * * *", "Europe/Berlin"),
            "On 2027-03-28 02:30 is skipped by the clock in Europe/Berlin: it runs at the first "
            "moment after it, 03:00. On 2027-10-31 02:30 comes twice in Europe/Berlin: it runs "
            "the first time only.",
        ),
        (
            cron("15,45 2 * 3 *", "Europe/Berlin"),
            "On 2027-03-28 02:15 and 02:45 are skipped by the clock in Europe/Berlin: it runs "
            "once in their place, at the first moment after them, 03:00.",
        ),
        (
            cron("30 2 * 3 *", "Europe/Berlin", dst_gap="skip"),
            "On 2027-03-28 02:30 is skipped by the clock in Europe/Berlin: it does not run.",
        ),
        (
            cron("0 */2 * 3 *", "Europe/Berlin"),
            "On 2027-03-28 02:00 is skipped by the clock in Europe/Berlin: it does not run.",
        ),
        (
            cron("0 */2 * 10 *", "Europe/Berlin"),
            "On 2027-10-31 02:00 comes twice in Europe/Berlin: it runs both times.",
        ),
        (
            rrule("FREQ=WEEKLY;BYDAY=SU;BYMONTH=3"),
            "On 2027-03-28 02:30 is skipped by the clock in Europe/Berlin: it runs at the first "
            "moment after it, 03:00.",
        ),
        (cron("*/5 * * * *", "Europe/Berlin"), ""),
        (cron("30 2 * * mon-sat", "Europe/Berlin"), ""),
        (cron("30 2 * * *"), ""),
        (rrule("FREQ=HOURLY"), ""),
        (rrule("FREQ=DAILY", "UTC"), ""),
    ],
)
def test_a_clock_change_that_moves_drops_or_doubles_a_run(when: When, sentence: str) -> None:
    assert told(when) == sentence


def test_the_trap_of_two_day_fields_in_both_readings_with_dates() -> None:
    assert told(cron("0 0 13 * fri")) == (
        "Day of month and day of week must both match, as in Celery: the next day is 2027-08-13. "
        "A crontab file would take either: 2026-11-27."
    )
    assert told(cron("0 0 13 * fri", day_match="or")) == (
        "Day of month or day of week is enough, as in a crontab file: the next day is 2026-11-27. "
        "Celery needs both to match, and would leave out 2026-11-27."
    )
    assert "Celery needs both to match" in told(cron("0 0 30 2 mon", day_match="or"))


@pytest.mark.parametrize(
    "text", ["0 0 */2 * mon", "0 0 1-31 * mon", "0 0 13 * *", "0 0 ? * fri", "0 0 * * 5L"]
)
def test_where_both_readings_are_the_same_there_is_no_trap(text: str) -> None:
    """But `1-31`, which cron takes for a restriction: every day, where Celery runs on Mondays."""
    assert ("must both match" in told(cron(text))) is (text == "0 0 1-31 * mon")


@pytest.mark.parametrize(
    ("text", "is_told"), [("*/45 * * * *", True), ("0 */7 * * *", True), ("*/15 */6 * * *", False)]
)
def test_uneven_steps(text: str, is_told: bool) -> None:
    assert ("starts anew" in told(cron(text))) is is_told


def test_what_is_far_or_over() -> None:
    assert told(cron("0 0 29 2 *")) == "The first tick is more than a year away: 2028-02-29."
    assert told(rrule("FREQ=DAILY;COUNT=3")) == "It never fires again: no tick is left."
    ended = Window(ends_at=at("2026-11-22T00:00Z"))
    assert "No tick is left before its end, 2026-11-22" in told_of(
        Facts(), when=cron("0 6 * * *"), window=ended
    )


@pytest.mark.parametrize(
    ("when", "seconds", "sentence"),
    [
        (
            cron("*/5 * * * *"),
            420,
            "A run usually takes 7 minutes, but the next is due 5 minutes later",
        ),
        (cron("0 6,7 * * *"), 3700, "the next is due 1 hour later"),
        (every(60), 60.5, "A run usually takes 61 seconds, but the next is due 1 minute later"),
        (cron("*/5 * * * *"), 299, None),
        (OnceWhen(at=at("2027-01-01T00:00Z")), 10**6, None),
    ],
)
def test_a_distance_shorter_than_the_usual_duration(
    when: When, seconds: float, sentence: str | None
) -> None:
    found = told_of(Facts(usual_duration=seconds), when=when)
    assert (sentence in found) if sentence else ("usually" not in found)


def test_what_then_happens_follows_from_the_overlap_policy() -> None:
    slow = Facts(usual_duration=1e6)
    assert "are skipped" in told_of(slow)
    assert "pile up" in told_of(slow, policies=Policies(overlap="allow"))
    assert "stopped before they end" in told_of(slow, policies=Policies(overlap="cancel_previous"))


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (a_spec("other"), True),
        (a_spec("other", when=cron("0 0-23 * * *")), True),
        (a_spec("other", when=cron("0 * * * *"), kwargs={"days": 2}), False),
        (a_spec("other", job="reports.other"), False),
        (a_spec("other", when=cron("1 * * * *")), False),
        (a_spec("other", enabled=False), False),
        (a_spec("nightly-report"), False),
    ],
)
def test_two_schedules_alike(other: Spec, alike: bool) -> None:
    assert ("other does the same at the same times" in told_of(Facts(others=[other]))) is alike


def test_a_queue_that_nobody_consumes_and_a_job_that_nobody_has() -> None:
    facts = Facts(queues=frozenset({"default", "slow"}), jobs=frozenset({"reports.job_summary"}))
    assert told_of(facts) == ""
    assert "No worker consumes the queue 'fast'; consumed are default and slow." in told_of(
        facts, queue="fast"
    )
    assert "No worker has registered the job 'demo.gone'." in told_of(facts, job="demo.gone")
    assert "No worker consumes the queue 'default'. Runs wait" in told_of(Facts(queues=frozenset()))
    assert told_of(Facts(), queue="fast", job="demo.gone") == ""


@given(when=whens)
def test_whatever_can_be_read_can_be_warned_of(when: When) -> None:
    for sentence in warnings(
        a_spec(when=when), NOON, Facts(usual_duration=100, others=[a_spec("other")])
    ):
        assert sentence.endswith(".")


def test_an_h_that_is_not_saved_is_shown_in_a_place_that_is_said_to_be_an_example() -> None:
    seen = preview(cron("H 6 * * *"), NOON, 2)
    assert "H gets its place when the schedule is saved" in seen.warnings[0]
    assert seen.ticks[0].hour == 6
    saved = preview(cron("H 6 * * *"), NOON, 2, uid="0b2d4c55-5f0e-4a8f-9d5e-0d6c2f7c8f11")
    assert saved.warnings == []


CLOSED = calendar_of("closed", ["mon-sun"])
SUNDAYS = calendar_of("sundays", ["sun"])
YEARS = calendar_of("years", ["2026-01-01..2028-03-01"])


@pytest.mark.parametrize(
    ("calendar", "when", "sentence"),
    [
        (
            CLOSED,
            cron("0 6 * * *"),
            "It never fires: the calendar 'named' excludes every tick of the next five years.",
        ),
        (SUNDAYS, cron("0 6 * * sun"), "It never fires: the calendar 'named' excludes every tick"),
        (CLOSED, every(60), "It never fires"),
        (
            YEARS,
            cron("0 6 * * *"),
            "excludes every tick of the next year: the first one that runs is 2028-03-02.",
        ),
        (
            None,
            cron("0 6 * * *"),
            "The calendar 'named' is gone or damaged. Nothing fires until it is there again",
        ),
    ],
)
def test_a_calendar_that_leaves_no_tick_is_told(
    calendar: Calendar | None, when: When, sentence: str
) -> None:
    facts = Facts(calendars={} if calendar is None else {"named": calendar})
    assert sentence in told_of(facts, when=when, window=Window(calendar="named"))


def test_nothing_is_told_of_a_calendar_that_leaves_ticks_or_that_nobody_has_looked_at() -> None:
    named = Window(calendar="named")
    assert (
        told_of(Facts(calendars={"named": SUNDAYS}), when=cron("0 6 * * sat,sun"), window=named)
        == ""
    )
    assert told_of(Facts(), when=cron("0 6 * * sun"), window=named) == ""


def test_schedules_with_different_calendars_are_not_alike() -> None:
    other = a_spec("other", window=Window(calendar="named"))
    assert told_of(Facts(others=[other])) == ""
    assert "other does the same" in told_of(Facts(others=[other]), window=other.window)
