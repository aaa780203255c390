"""Strategies for hypothesis: every kind of schedule."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from scheduler.errors import BadExpression
from scheduler.rules.crontab import dialect
from scheduler.rules.crontab import fields as cron_rules
from scheduler.rules.model.spec import CrontabWhen, OnceWhen, RruleWhen
from tests.support.builders import at, every

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",  # half an hour
    "Africa/Casablanca",  # its summer time pauses
    "Asia/Kathmandu",  # a quarter of an hour off
    "America/Havana",  # changes at midnight
    "Asia/Beirut",  # changes at midnight
    "Pacific/Apia",  # skipped a day
    "Antarctica/Troll",  # two hours
    "America/Nuuk",  # changes the evening before
    "Europe/Dublin",  # winter time is the exception
)


moments = st.datetimes(datetime(2010, 1, 1), datetime(2060, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


def field(least: int, greatest: int) -> st.SearchStrategy[str]:
    number = st.integers(least, greatest)
    ranges = st.tuples(number, number).map(sorted).map(lambda ends: f"{ends[0]}-{ends[1]}")
    step = st.integers(1, greatest)
    part = st.one_of(
        number.map(str), ranges, st.builds(lambda span, n: f"{span}/{n}", ranges, step)
    )
    return st.one_of(
        st.just("*"),
        step.map(lambda n: f"*/{n}"),
        st.lists(part, min_size=1, max_size=3).map(",".join),
        number.map(str),
    )


def fires(text: str) -> bool:
    try:
        cron_rules.parse(text)
    except BadExpression:  # 30 February
        return False
    return True


expressions = st.builds(
    lambda *fields: " ".join(fields),
    field(0, 59),
    field(0, 23),
    st.one_of(st.just("*"), field(1, 31)),
    st.one_of(st.just("*"), field(1, 12)),
    st.one_of(st.just("*"), field(0, 6)),
).filter(fires)


crontabs = st.builds(
    CrontabWhen,
    crontab=expressions,
    timezone=st.sampled_from(ZONES),
    dst_gap=st.sampled_from(["auto", "shift", "skip"]),
    dst_repeat=st.sampled_from(["auto", "first", "both"]),
)


def reads(when: CrontabWhen) -> bool:
    try:
        dialect.parse(when.crontab, when.day_match)
    except BadExpression:  # both never match
        return False
    return True


wider = st.builds(
    CrontabWhen,
    crontab=st.builds(
        lambda *fields: " ".join(fields),
        field(0, 59),
        field(0, 23),
        st.sampled_from(["*", "?", "L", "15,L", "1-7", "13", "*/4"]),
        st.sampled_from(["*", "2", "jan-jun"]),
        st.sampled_from(["*", "?", "7", "5L", "mon#2", "tue#5,3L", "sat-7", "1-5"]),
    ),
    timezone=st.sampled_from(ZONES),
    day_match=st.sampled_from(["and", "or"]),
).filter(reads)


rrules = st.builds(
    RruleWhen,
    rrule=st.sampled_from(
        [
            "FREQ=DAILY;BYHOUR=2;BYMINUTE=15,30",
            "FREQ=HOURLY;INTERVAL=2",
            "FREQ=MINUTELY;INTERVAL=25;BYHOUR=0,1,2,3",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO",
            "FREQ=MONTHLY;BYDAY=-1SU;COUNT=500",
            "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU;BYHOUR=1,2,3",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1;UNTIL=20400101",
        ]
    ),
    dtstart=st.just(at("2009-12-30T01:02:03Z")),
    timezone=st.sampled_from(ZONES),
)


intervals = st.integers(1, 10**6).map(lambda seconds: every(seconds, at("2026-01-01T00:00Z")))


one_offs = moments.map(lambda moment: OnceWhen(at=moment))


whens = crontabs | wider | rrules | intervals | one_offs


TOKENS = st.text(alphabet="0123456789*/-,", min_size=1, max_size=8) | st.sampled_from(
    [
        "*",
        "*/5",
        "1-5",
        "mon",
        "fri-mon",
        "jan-mar",
        "1-5/2",
        "22-3",
        "sunday",
        "1-5-7",
        "*/5x",
        "+5",
        "1_0",
        "7",
        "?",
    ]
)
