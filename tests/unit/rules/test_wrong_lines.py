"""Wrong crontab lines, each with the message that it gets: field, token, what is wrong, what is
allowed.
"""

import pytest

from scheduler.errors import BadExpression
from scheduler.rules.crontab import dialect

MINUTE = "0-59, *, */n, a-b, a-b/n, H, and lists of these with commas"
HOUR = "0-23, *, */n, a-b, a-b/n, H, and lists of these with commas"
DATE = "1-31, L, *, */n, a-b, a-b/n, H, and lists of these with commas; or ? alone"
MONTH = "1-12 or jan-dec, *, */n, a-b, a-b/n, H, and lists of these with commas"
WEEKDAY = (
    "0-7 or sun-sat, 5L, mon#2, *, */n, a-b, a-b/n, H, and lists of these with commas; or ? alone"
)

WRONG = [
    ("60 * * * *", "minute: '60' cannot be used, 60 is out of range", MINUTE),
    ("-1 * * * *", "minute: '-1' cannot be used, it is not a value, a range or a step", MINUTE),
    ("1-60 * * * *", "minute: '1-60' cannot be used, 60 is out of range", MINUTE),
    (
        "0-100000000 * * * *",
        "minute: '0-100000000' cannot be used, 100000000 is out of range",
        MINUTE,
    ),
    (
        "*/0 * * * *",
        "minute: '*/0' cannot be used, the step after / must be a whole number from 1",
        MINUTE,
    ),
    (
        "*/-5 * * * *",
        "minute: '*/-5' cannot be used, the step after / must be a whole number from 1",
        MINUTE,
    ),
    (
        "*/x * * * *",
        "minute: '*/x' cannot be used, the step after / must be a whole number from 1",
        MINUTE,
    ),
    (
        "*/ * * * *",
        "minute: '*/' cannot be used, the step after / must be a whole number from 1",
        MINUTE,
    ),
    (
        "5/10 * * * *",
        "minute: '5/10' cannot be used, a step needs a range before it; write 5-59/10",
        MINUTE,
    ),
    ("1.5 * * * *", "minute: '1.5' cannot be used, it is not a value, a range or a step", MINUTE),
    ("1,,2 * * * *", "minute: '1,,2' has an empty part", MINUTE),
    (",1 * * * *", "minute: ',1' has an empty part", MINUTE),
    ("1, * * * *", "minute: '1,' has an empty part", MINUTE),
    ("a * * * *", "minute: 'a' cannot be used, it is not a value, a range or a step", MINUTE),
    ("** * * * *", "minute: '**' cannot be used, it is not a value, a range or a step", MINUTE),
    ("5- * * * *", "minute: '5-' cannot be used, it is not a value, a range or a step", MINUTE),
    (
        "? * * * *",
        "minute: '?' cannot be used, ? stands for any day, in day of month or day of week; write "
        "* here",
        MINUTE,
    ),
    (
        "L * * * *",
        "minute: 'L' cannot be used, L is the last day of the month and stands in day of month",
        MINUTE,
    ),
    (
        "h * * * *",
        "minute: 'h' cannot be used, write H, H(a-b), H/n or H(a-b)/n with a capital H",
        MINUTE,
    ),
    (
        "H/1 * * * *",
        "minute: 'H/1' cannot be used, the step after H/ must be a whole number from 2 to 60",
        MINUTE,
    ),
    (
        "H/61 * * * *",
        "minute: 'H/61' cannot be used, the step after H/ must be a whole number from 2 to 60",
        MINUTE,
    ),
    (
        "H/x * * * *",
        "minute: 'H/x' cannot be used, the step after H/ must be a whole number from 2 to 60",
        MINUTE,
    ),
    ("H(5) * * * *", "minute: 'H(5)' cannot be used, write H, H(a-b), H/n or H(a-b)/n", MINUTE),
    ("H(30-10) * * * *", "minute: 'H(30-10)' cannot be used, 30 is greater than 10", MINUTE),
    (
        "H(0-60) * * * *",
        "minute: 'H(0-60)' cannot be used, the ends of H(a-b) must be from 0 to 59",
        MINUTE,
    ),
    ("H( * * * *", "minute: 'H(' cannot be used, write H, H(a-b), H/n or H(a-b)/n", MINUTE),
    ("H-5 * * * *", "minute: 'H-5' cannot be used, it is not a value, a range or a step", MINUTE),
    ("0 24 * * *", "hour: '24' cannot be used, 24 is out of range", HOUR),
    ("0 5pm * * *", "hour: '5pm' cannot be used, it is not a value, a range or a step", HOUR),
    ("0 1-25 * * *", "hour: '1-25' cannot be used, 25 is out of range", HOUR),
    (
        "0 0-23/0 * * *",
        "hour: '0-23/0' cannot be used, the step after / must be a whole number from 1",
        HOUR,
    ),
    (
        "0 H(0-24) * * *",
        "hour: 'H(0-24)' cannot be used, the ends of H(a-b) must be from 0 to 23",
        HOUR,
    ),
    ("0 0 0 * *", "day of month: '0' cannot be used, 0 is out of range", DATE),
    ("0 0 32 * *", "day of month: '32' cannot be used, 32 is out of range", DATE),
    ("0 0 1-32 * *", "day of month: '1-32' cannot be used, 32 is out of range", DATE),
    (
        "0 0 L-3 * *",
        "day of month: 'L-3' cannot be used, days counted from the end are not supported; L is the "
        "last day",
        DATE,
    ),
    (
        "0 0 15W * *",
        "day of month: '15W' cannot be used, W, the nearest working day, is not supported; use an "
        "exclusion calendar",
        DATE,
    ),
    (
        "0 0 LW * *",
        "day of month: 'LW' cannot be used, W, the nearest working day, is not supported; use an "
        "exclusion calendar",
        DATE,
    ),
    (
        "0 0 ?,5 * *",
        "day of month: '?' cannot be used, ? stands alone; write * in a list or with a step",
        DATE,
    ),
    (
        "0 0 ?/2 * *",
        "day of month: '?/2' cannot be used, ? stands alone; write * in a list or with a step",
        DATE,
    ),
    (
        "0 0 5L * *",
        "day of month: '5L' cannot be used, L with a day before it belongs to day of week, as in "
        "5L for the last Friday",
        DATE,
    ),
    (
        "0 0 H(1-31) * *",
        "day of month: 'H(1-31)' cannot be used, the ends of H(a-b) must be from 1 to 28",
        DATE,
    ),
    ("0 0 * 0 *", "month: '0' cannot be used, 0 is out of range", MONTH),
    ("0 0 * 13 *", "month: '13' cannot be used, 13 is out of range", MONTH),
    ("0 0 * foo *", "month: 'foo' cannot be used, it is not a value, a range or a step", MONTH),
    ("0 0 * jan-13 *", "month: 'jan-13' cannot be used, 13 is out of range", MONTH),
    (
        "0 0 * L *",
        "month: 'L' cannot be used, L is the last day of the month and stands in day of month",
        MONTH,
    ),
    ("0 0 * * 8", "day of week: '8' cannot be used, 8 is out of range", WEEKDAY),
    (
        "0 0 * * L",
        "day of week: 'L' cannot be used, L needs a day before it, as in 5L for the last Friday",
        WEEKDAY,
    ),
    (
        "0 0 * * funday",
        "day of week: 'funday' cannot be used, it is not a value, a range or a step",
        WEEKDAY,
    ),
    (
        "0 0 * * mon#0",
        "day of week: 'mon#0' cannot be used, after # comes which one of the month, 1 to 5",
        WEEKDAY,
    ),
    (
        "0 0 * * mon#6",
        "day of week: 'mon#6' cannot be used, after # comes which one of the month, 1 to 5",
        WEEKDAY,
    ),
    ("0 0 * * #2", "day of week: '#2' cannot be used, it names no day of the week", WEEKDAY),
    ("0 0 * * 8#1", "day of week: '8#1' cannot be used, '8' is not a day of the week", WEEKDAY),
    ("0 0 * * 9L", "day of week: '9L' cannot be used, '9' is not a day of the week", WEEKDAY),
    (
        "0 0 * * mon#x",
        "day of week: 'mon#x' cannot be used, after # comes which one of the month, 1 to 5",
        WEEKDAY,
    ),
    (
        "0 0 * * 7/2",
        "day of week: '7/2' cannot be used, a step needs a range before it, as in 1-7/2",
        WEEKDAY,
    ),
    ("0 0 * * 5-8", "day of week: '5-8' cannot be used, 8 is out of range", WEEKDAY),
    (
        "0 0 30 2 *",
        "'0 0 30 2 *' never fires: day of month '30' does not occur in month '2'; choose a day "
        "that one of these months has",
        None,
    ),
    (
        "0 0 31 2,4,6,9,11 *",
        "'0 0 31 2,4,6,9,11 *' never fires: day of month '31' does not occur in month "
        "'2,4,6,9,11'; choose a day that one of these months has",
        None,
    ),
    (
        "0 0 L * mon#1",
        "'0 0 L * mon#1' never fires: day of month 'L' is never day of week 'mon#1' in month '*'; "
        "choose a day that one of these months has",
        None,
    ),
    (
        "* * * *",
        "the crontab expression '* * * *' has 4 fields; five are needed: minute, hour, day of "
        "month, month, day of week, as in '0 6 * * mon-fri'",
        None,
    ),
    (
        "* * * * * *",
        "the crontab expression '* * * * * *' has 6 fields; five are read, from minute to day of "
        "week; leave out seconds, years and commands",
        None,
    ),
    (
        "0 6 * * mon /usr/bin/backup",
        "the crontab expression '0 6 * * mon /usr/bin/backup' has 6 fields; five are read, from "
        "minute to day of week; leave out seconds, years and commands",
        None,
    ),
    (
        "@fortnightly",
        "'@fortnightly' cannot be used; known are @hourly, @daily, @midnight, @weekly, @monthly, "
        "@yearly, @annually",
        None,
    ),
    ("@reboot", "'@reboot' cannot be used; it has no time, so no schedule can stand for it", None),
    ("@every 5m", "'@every 5m' cannot be used; choose an interval instead", None),
    (
        "",
        "the crontab expression '' has 0 fields; five are needed: minute, hour, day of month, "
        "month, day of week, as in '0 6 * * mon-fri'",
        None,
    ),
    (
        "nonsense",
        "the crontab expression 'nonsense' has 1 field; five are needed: minute, hour, day of "
        "month, month, day of week, as in '0 6 * * mon-fri'",
        None,
    ),
    ("0 0 * * mon-8", "day of week: 'mon-8' cannot be used, 8 is out of range", WEEKDAY),
    ("0 0 * * 7-9", "day of week: '7-9' cannot be used, '9' is not a day of the week", WEEKDAY),
    (
        "0 0 * * */8x",
        "day of week: '*/8x' cannot be used, the step after / must be a whole number from 1",
        WEEKDAY,
    ),
    (
        "0 H/30 * * *",
        "hour: 'H/30' cannot be used, the step after H/ must be a whole number from 2 to 24",
        HOUR,
    ),
    (
        "0 0 H/29 * *",
        "day of month: 'H/29' cannot be used, the step after H/ must be a whole number from 2 to "
        "28",
        DATE,
    ),
    (
        "0 0 * H(0-3) *",
        "month: 'H(0-3)' cannot be used, the ends of H(a-b) must be from 1 to 12",
        MONTH,
    ),
    ("0 0 * * H(5-2)", "day of week: 'H(5-2)' cannot be used, 5 is greater than 2", WEEKDAY),
    (
        "0 0 1-L * *",
        "day of month: '1-L' cannot be used, it is not a value, a range or a step",
        DATE,
    ),
    (
        "0 0 * * fri#1-2",
        "day of week: 'fri#1-2' cannot be used, after # comes which one of the month, 1 to 5",
        WEEKDAY,
    ),
    (
        "0 0 * * 1/2",
        "day of week: '1/2' cannot be used, a step needs a range before it; write 1-6/2",
        WEEKDAY,
    ),
]


def test_the_table_has_sixty_lines_at_least() -> None:
    assert len({line for line, _, _ in WRONG}) >= 60


@pytest.mark.parametrize(("line", "message", "allowed"), WRONG)
def test_a_wrong_line_gets_its_message(line: str, message: str, allowed: str | None) -> None:
    with pytest.raises(BadExpression) as refused:
        dialect.parse(dialect.resolve(line, "some schedule"))
    assert str(refused.value) == (f"{message}; allowed: {allowed}" if allowed else message)
    assert refused.value.field == "crontab"


@pytest.mark.parametrize(
    "line", ["0-" + "9" * 900 + " * * * *", "1-100000000 * * * *", "*/" + "9" * 800 + "x * * * *"]
)
def test_ranges_are_checked_before_they_are_expanded(line: str) -> None:
    with pytest.raises(BadExpression):
        dialect.parse(line)


def test_a_line_that_is_too_long_is_not_read() -> None:
    with pytest.raises(BadExpression, match="at most 1000 are read"):
        dialect.parse("0," * 2000 + "0 * * * *")
