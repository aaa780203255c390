"""What operators see while they type."""

import pytest
from hypothesis import given

from scheduler.errors import BadExpression
from scheduler.rules.explain.preview import preview
from scheduler.rules.model.spec import CrontabWhen, When
from scheduler.rules.ticks import next_tick, next_ticks
from tests.support.builders import NOON, at, cron, every
from tests.support.rules.whens import crontabs


def warnings(when: When) -> str:
    return " ".join(preview(when, NOON, 3).warnings)


def test_a_preview_has_words_ticks_and_no_warning_where_there_is_nothing_to_warn_of() -> None:
    seen = preview(cron("0 6 * * mon-fri", "Europe/Berlin"), NOON, 2)
    assert seen.words == "At 06:00, Monday through Friday (Europe/Berlin)"
    assert seen.ticks == [at("2026-11-23T05:00Z"), at("2026-11-24T05:00Z")]
    assert seen.warnings == []


def test_an_interval_that_is_not_saved_yet_counts_from_now() -> None:
    assert preview(every(90), NOON, 2).ticks == [
        at("2026-11-21T12:01:30Z"),
        at("2026-11-21T12:03Z"),
    ]


def test_two_day_fields_are_shown_with_the_dates_on_which_the_readings_differ() -> None:
    told = warnings(cron("0 0 13 * fri"))
    assert "2027-08-13" in told
    assert "2026-11-27" in told


@pytest.mark.parametrize("text", ["*/7 * * * *", "0 */5 * * *"])
def test_a_step_that_does_not_divide_is_told(text: str) -> None:
    assert "starts anew" in warnings(cron(text))


@pytest.mark.parametrize("text", ["*/15 * * * *", "0 */6 * * *", "*/40,5 1 * * *"])
def test_a_step_that_divides_is_not(text: str) -> None:
    assert "starts anew" not in warnings(cron(text))


def test_a_time_that_the_clock_skips_or_repeats_is_told_with_its_date() -> None:
    assert "On 2027-03-28 02:30 is skipped" in warnings(cron("30 2 * * *", "Europe/Berlin"))
    assert "first moment after" in warnings(cron("30 2 * * *", "Europe/Berlin"))
    assert "does not run" in warnings(cron("30 2 * * *", "Europe/Berlin", dst_gap="skip"))
    assert "On 2027-10-31 02:30 comes twice" in warnings(cron("30 2 * 10 *", "Europe/Berlin"))
    assert "both times" in warnings(cron("30 2 * 10 *", "Europe/Berlin", dst_repeat="both"))
    assert warnings(cron("30 2 * * *")) == ""
    assert warnings(cron("30 5 * * *", "Europe/Berlin")) == ""


def test_what_celery_overlooks_and_what_is_far_away_is_told() -> None:
    assert "'-7'" in warnings(cron("1-5-7 * * * *"))
    assert "2028-02-29" in warnings(cron("0 0 29 2 *"))


def test_what_cannot_be_saved_cannot_be_previewed() -> None:
    with pytest.raises(BadExpression):
        preview(cron("0 0 30 2 *"), NOON, 3)


@given(when=crontabs)
def test_the_previewed_ticks_are_those_that_fire(when: CrontabWhen) -> None:
    if next_tick(when, NOON) is not None:
        assert preview(when, NOON, 5).ticks == next_ticks(when, NOON, 5)
