"""What is an expression, and what does it stand for: as Celery has it, with better words."""

import pytest
from celery.schedules import ParseException, crontab, crontab_parser
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import BadExpression
from scheduler.rules.crontab import fields
from tests.support.rules.whens import TOKENS


def celery_reads(texts: list[str]) -> crontab | None:
    minute, hour, day_of_month, month_of_year, day_of_week = texts
    try:
        return crontab(minute, hour, day_of_week, day_of_month, month_of_year)
    except (ValueError, KeyError, IndexError, ParseException):
        return None


@given(texts=st.lists(TOKENS, min_size=5, max_size=5))
def test_accepts_what_celery_accepts_and_means_the_same(texts: list[str]) -> None:
    theirs = celery_reads(texts)
    if theirs is None:
        with pytest.raises(BadExpression):
            fields.parse(" ".join(texts))
        return
    ours = fields.parse(" ".join(texts))
    assert set(ours.minutes) == theirs.minute
    assert set(ours.hours) == theirs.hour
    assert ours.days == theirs.day_of_month
    assert ours.months == theirs.month_of_year
    assert ours.weekdays == theirs.day_of_week


@given(position=st.integers(0, 4), token=TOKENS)
def test_each_field_alone_agrees_with_celery(position: int, token: str) -> None:
    texts = ["0", "0", "*", "*", "*"]
    texts[position] = token
    theirs = celery_reads(texts)
    if theirs is None:
        with pytest.raises(BadExpression):
            fields.parse(" ".join(texts))
    else:
        assert fields.parse(" ".join(texts)).weekdays == theirs.day_of_week


def plain_parts(field: fields.Field) -> list[str]:
    """Every part in plain form of a field, one value beyond each end, and the names of both
    fields that have names.
    """
    names = ["jan", "may", "dec", "sun", "mon", "sat", "day"]
    words = [
        *map(str, range(max(0, field.least - 1), field.greatest + 2)),
        "00",
        "05",
        "99",
        *names,
    ]
    ranges = [
        f"{first}-{last}{step}" for first in words for last in words for step in ("", "/2", "/0")
    ]
    return [
        *words,
        *ranges,
        *(f"{word}/5" for word in words),
        "*",
        *(f"*/{step}" for step in range(100)),
    ]


@pytest.mark.parametrize("field", fields.FIELDS, ids=lambda field: field.name)
def test_a_part_that_is_read_without_celery_has_the_values_that_celery_gives_it(
    field: fields.Field,
) -> None:
    read = 0
    for part in plain_parts(field):
        ours = fields.plain_values(field, part)
        if ours is None:
            continue
        read += 1
        assert ours == crontab_parser(field.size, field.least).parse(part), part
    assert read > field.size**2


def test_the_common_parts_need_no_celery() -> None:
    minute, _, _, month, weekday = fields.FIELDS
    assert [fields.plain_values(minute, part) for part in ("5", "*/30", "58-1")] == [
        {5},
        {0, 30},
        {58, 59, 0, 1},
    ]
    assert fields.plain_values(month, "jan-dec/6") == {1, 7}
    assert fields.plain_values(weekday, "fri-mon") == {5, 6, 0, 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("61 * * * *", ["minute", "'61'", "0-59"]),
        ("0,61 * * * *", ["minute", "'61'", "0-59"]),
        ("0 24 * * *", ["hour", "'24'", "0-23"]),
        ("0 0 0 * *", ["day of month", "'0'", "1-31"]),
        ("0 0 * 13 *", ["month", "'13'", "1-12", "jan-dec"]),
        ("0 0 * * 7", ["day of week", "'7'", "Sunday is 0"]),
        ("0 0 * * montag-x", ["day of week", "'montag-x'", "sun-sat"]),
        ("1-100000000 * * * *", ["minute", "100000000", "0-59"]),
        ("*/0 * * * *", ["minute", "'*/0'", "step"]),
        ("*/x * * * *", ["minute", "'*/x'", "step"]),
        ("5/10 * * * *", ["minute", "5-59/10"]),
        ("5,,6 * * * *", ["minute", "empty part"]),
        ("? * * * *", ["minute", "write *"]),
        ("* * L * *", ["day of month", "'L'"]),
        ("0 0 30 2 *", ["never fires", "'30'", "'2'"]),
        ("0 0 31 2,4,6,9,11 *", ["never fires"]),
        ("@daily", ["0 0 * * *"]),
        ("* * * *", ["4 fields", "five"]),
        ("", ["0 fields"]),
        ("0 " * 2000, ["characters", "1000"]),
    ],
)
def test_a_refusal_names_the_field_the_token_and_what_is_allowed(
    text: str, words: list[str]
) -> None:
    with pytest.raises(BadExpression) as refused:
        fields.parse(text)
    assert refused.value.field == "crontab"
    for word in words:
        assert word in str(refused.value)


def test_any_white_space_parts_the_fields() -> None:
    assert fields.parse(" 0\t6  * *\nmon-fri ").texts == ("0", "6", "*", "*", "mon-fri")


def test_a_range_may_wrap_around() -> None:
    assert fields.parse("0 22-3 * * fri-mon").hours == (0, 1, 2, 3, 22, 23)
    assert fields.parse("0 22-3 * * fri-mon").weekdays == {5, 6, 0, 1}


def test_what_celery_overlooks_is_told() -> None:
    assert fields.parse("1-5-7 */5* * * *").ignored == ("-7", "*")
    assert fields.parse("1-5/2,7 * * * *").ignored == ()


def test_the_table_of_days_knows_both_fields() -> None:
    first_mondays = fields.parse("0 0 1-7 * mon")
    for first in range(7):
        (day,) = [day for day in range(1, 32) if first_mondays.day_masks[first] >> day & 1]
        assert (first + day - 1) % 7 == 1


def test_a_long_number_is_refused_and_not_expanded() -> None:
    for text in (
        "9" * 900 + " * * * *",
        "0-" + "9" * 900 + " * * * *",
        "*/" + "9" * 900 + "x * * * *",
    ):
        with pytest.raises(BadExpression):
            fields.parse(text)
