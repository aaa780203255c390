"""The rows of `semantics.md` on kinds, dialect, zones and preview, fired by RedBeat's own scheduler
on a real server.

Beat's clock is set, entry by entry, to the moment at which Redis says to look, and to one second
before it. So each case shows the score, the tick, and that nothing fires early.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import RedBeatScheduler
from redbeat.schedules import rrule
from redis import Redis

from scheduler.beat.stock.entry import BeatEntry
from scheduler.errors import Refused
from scheduler.rules.explain.preview import preview
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    Policies,
    RruleWhen,
    When,
    Window,
)
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import JOB, a_spec, at, cron, every
from tests.support.schedules.contents import messages, score

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def recur(rule: str, start: str, timezone: str = "UTC") -> RruleWhen:
    return RruleWhen(rrule=rule, dtstart=at(start), timezone=timezone)


@dataclass(frozen=True)
class Row:
    """A sentence of `semantics.md`, a schedule that shows it, and the moments at which it fires."""

    says: str
    when: When
    saved: str
    until: str
    fires: list[str]
    limits: dict[str, Any] = field(default_factory=dict)


ROWS = [
    Row(
        "kinds: crontab, five fields",
        cron("0 6 * * mon-fri"),
        "2026-11-20T00:00Z",
        "2026-11-24T00:00Z",
        ["2026-11-20T06:00Z", "2026-11-23T06:00Z"],
    ),
    Row(
        "kinds: interval, anchor + n * every, no clock change touches it",
        every(4 * 3600, at("2026-03-28T22:30Z")),
        "2026-03-28T23:00Z",
        "2026-03-29T12:00Z",
        ["2026-03-29T02:30Z", "2026-03-29T06:30Z", "2026-03-29T10:30Z"],
    ),
    Row(
        "kinds: one-off, one tick at one instant",
        OnceWhen(at=at("2026-11-22T18:00Z")),
        "2026-11-21T00:00Z",
        "2030-01-01T00:00Z",
        ["2026-11-22T18:00Z"],
    ),
    Row(
        "kinds: rrule in a real zone, through a clock change",
        recur("FREQ=DAILY", "2026-10-24T07:00Z", "Europe/Berlin"),
        "2026-10-23T00:00Z",
        "2026-10-26T12:00Z",
        ["2026-10-24T07:00Z", "2026-10-25T08:00Z", "2026-10-26T08:00Z"],
    ),
    Row(
        "kinds: any kind may have starts_at and ends_at",
        cron("0 * * * *"),
        "2026-11-21T00:00Z",
        "2026-11-22T00:00Z",
        ["2026-11-21T05:00Z", "2026-11-21T06:00Z"],
        {"starts_at": at("2026-11-21T05:00Z"), "ends_at": at("2026-11-21T07:00Z")},
    ),
    Row(
        "kinds: any kind may have max_runs",
        every(60, at("2026-11-21T00:00Z")),
        "2026-11-21T00:00Z",
        "2026-11-22T00:00Z",
        ["2026-11-21T00:01Z", "2026-11-21T00:02Z"],
        {"max_runs": 2},
    ),
    Row(
        "dialect: 7 for Sunday, any white space",
        cron("30\t5   * *  7"),
        "2026-11-21T00:00Z",
        "2026-11-30T00:00Z",
        ["2026-11-22T05:30Z", "2026-11-29T05:30Z"],
    ),
    Row(
        "dialect: @weekly",
        cron("@weekly"),
        "2026-11-21T00:00Z",
        "2026-11-30T00:00Z",
        ["2026-11-22T00:00Z", "2026-11-29T00:00Z"],
    ),
    Row(
        "dialect: ?",
        cron("0 6 24 * ?"),
        "2026-11-21T00:00Z",
        "2026-12-01T00:00Z",
        ["2026-11-24T06:00Z"],
    ),
    Row(
        "dialect: L, the last day of the month",
        cron("0 6 L * *"),
        "2027-01-15T00:00Z",
        "2027-03-15T00:00Z",
        ["2027-01-31T06:00Z", "2027-02-28T06:00Z"],
    ),
    Row(
        "dialect: 5L, the last Friday, in a zone",
        cron("0 6 * * 5L", "Europe/Berlin"),
        "2026-09-21T00:00Z",
        "2026-11-01T00:00Z",
        ["2026-09-25T04:00Z", "2026-10-30T05:00Z"],
    ),
    Row(
        "dialect: mon#2, the second Monday",
        cron("0 6 * * mon#2"),
        "2026-11-21T00:00Z",
        "2027-01-12T00:00Z",
        ["2026-12-14T06:00Z", "2027-01-11T06:00Z"],
    ),
    Row(
        "dialect: day_match and, as in Celery",
        cron("0 6 13 * fri"),
        "2026-10-21T00:00Z",
        "2026-12-01T00:00Z",
        ["2026-11-13T06:00Z"],
    ),
    Row(
        "dialect: day_match or, as in Vixie cron",
        cron("0 6 13 * fri", day_match="or"),
        "2026-12-05T00:00Z",
        "2026-12-19T00:00Z",
        ["2026-12-11T06:00Z", "2026-12-13T06:00Z", "2026-12-18T06:00Z"],
    ),
    Row(
        "zones: each schedule has its own",
        cron("30 6 * * *", "Asia/Kathmandu"),
        "2026-11-21T00:00Z",
        "2026-11-22T12:00Z",
        ["2026-11-21T00:45Z", "2026-11-22T00:45Z"],
    ),
    Row(
        "clock changes: sub-daily runs by elapsed time over the gap",
        cron("*/30 * * * *", "Europe/Berlin"),
        "2026-03-29T00:00Z",
        "2026-03-29T02:00Z",
        ["2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z", "2026-03-29T02:00Z"],
    ),
    Row(
        "clock changes: sub-daily runs in both repeated hours",
        cron("30 * * * *", "Europe/Berlin"),
        "2026-10-25T00:00Z",
        "2026-10-25T02:00Z",
        ["2026-10-25T00:30Z", "2026-10-25T01:30Z"],
    ),
    Row(
        "clock changes: 02:15 and 03:15 stay two runs, 03:00 and 03:15",
        cron("15 2,3 * * *", "Europe/Berlin"),
        "2026-03-29T00:00Z",
        "2026-03-29T12:00Z",
        ["2026-03-29T01:00Z", "2026-03-29T01:15Z"],
    ),
    Row(
        "clock changes: a fixed time in the repeated hour runs once, the first time",
        cron("30 2 * * *", "Europe/Berlin"),
        "2026-10-24T12:00Z",
        "2026-10-25T12:00Z",
        ["2026-10-25T00:30Z"],
    ),
    Row(
        "clock changes: dst_gap skip",
        cron("15 2 * * *", "Europe/Berlin", dst_gap="skip"),
        "2026-03-28T12:00Z",
        "2026-03-30T12:00Z",
        ["2026-03-30T00:15Z"],
    ),
    Row(
        "clock changes: dst_repeat both",
        cron("30 2 * * *", "Europe/Berlin", dst_repeat="both"),
        "2026-10-24T12:00Z",
        "2026-10-25T12:00Z",
        ["2026-10-25T00:30Z", "2026-10-25T01:30Z"],
    ),
    Row(
        "clock changes: a gap of half an hour",
        cron("15 2 * * *", "Australia/Lord_Howe"),
        "2026-10-03T00:00Z",
        "2026-10-04T12:00Z",
        ["2026-10-03T15:30Z"],
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.says)
def test_a_row_of_the_semantics_fires_at_its_moments_and_not_a_second_before(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis, row: Row
) -> None:
    spec = a_spec(
        "row", when=row.when, window=Window(**row.limits), policies=Policies(overlap="allow")
    )
    saved = store.create(spec, edit=Edit(actor="ada", now=at(row.saved)))
    assert fired(beat, redis, "row", at(row.until)) == [at(text) for text in row.fires]
    if not row.limits:
        told = preview(saved.when, at(row.saved), 20, uid=saved.uid).ticks
        assert [tick for tick in told if tick <= at(row.until)] == [at(text) for text in row.fires]


def test_kinds_an_interval_is_stable_over_edits_that_keep_every(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    store.create(
        a_spec("row", when=every(3600), policies=ALLOW),
        edit=Edit(actor="ada", now=at("2026-11-21T00:07Z")),
    )
    fired(beat, redis, "row", at("2026-11-21T02:00Z"))
    edited = a_spec("row", when=every(3600), policies=ALLOW, notes="new")
    store.edit("row", edited, revision=1, edit=Edit(actor="ada", now=at("2026-11-21T02:30Z")))
    assert fired(beat, redis, "row", at("2026-11-21T04:00Z"))[-2:] == [
        at("2026-11-21T02:07Z"),
        at("2026-11-21T03:07Z"),
    ]


def test_kinds_a_one_off_is_finished_kept_and_can_be_armed_again(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    store.create(
        a_spec("row", when=OnceWhen(at=at("2026-11-22T18:00Z")), policies=ALLOW),
        edit=Edit(actor="ada", now=SAVED),
    )
    fired(beat, redis, "row", at("2026-11-23T00:00Z"))
    assert score(redis, "row") == -1
    noted = store.get("row").spec().model_copy(update={"notes": "it went well"})
    store.edit("row", noted, revision=1, edit=Edit(actor="ada", now=at("2026-11-23T00:00Z")))
    assert score(redis, "row") == -1
    past = noted.model_copy(update={"when": OnceWhen(at=at("2026-11-22T19:00Z"))})
    with pytest.raises(Refused, match="has passed"):
        store.edit("row", past, revision=2, edit=Edit(actor="ada", now=at("2026-11-23T00:00Z")))
    armed = noted.model_copy(update={"when": OnceWhen(at=at("2026-11-24T18:00Z"))})
    store.edit("row", armed, revision=2, edit=Edit(actor="ada", now=at("2026-11-23T00:00Z")))
    assert fired(beat, redis, "row", at("2026-11-25T00:00Z"))[-1] == at("2026-11-24T18:00Z")


def test_kinds_a_rrule_of_plain_redbeat_code_is_shown_run_and_edited_as_it_is(
    store: ScheduleStore, services: Services, beat: RedBeatScheduler, redis: Redis
) -> None:
    entry = RedBeatSchedulerEntry(
        "plain", JOB, rrule("DAILY", dtstart=at("2026-11-20T06:00Z")), app=services.celery
    )
    entry.save()
    entry.reschedule(SAVED)
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("plain"): at("2026-11-21T06:00Z").timestamp()})
    assert fired(beat, redis, "plain", at("2026-11-22T00:00Z")) == [at("2026-11-21T06:00Z")]
    shown = store.get("plain")
    assert (shown.origin, shown.when) == ("redbeat", recur("FREQ=DAILY", "2026-11-20T06:00Z"))
    weekly = shown.spec().model_copy(update={"when": recur("FREQ=WEEKLY", "2026-11-20T06:00Z")})
    store.edit("plain", weekly, revision=0, edit=Edit(actor="ada", now=at("2026-11-22T00:00Z")))
    assert fired(beat, redis, "plain", at("2026-11-28T00:00Z"))[-1] == at("2026-11-27T06:00Z")


def test_dialect_h_has_one_place_per_schedule_and_both_texts_are_kept(
    store: ScheduleStore, beat: RedBeatScheduler, redis: Redis
) -> None:
    saved = store.create(
        a_spec("row", when=cron("H H(2-4) * * *"), policies=ALLOW),
        edit=Edit(actor="ada", now=SAVED),
    )
    when = saved.when
    assert isinstance(when, CrontabWhen)
    assert when.crontab == "H H(2-4) * * *"
    minute, hour = map(int, (when.resolved or "").split()[:2])
    first = datetime(2026, 11, 21, hour, minute, tzinfo=UTC)
    assert fired(beat, redis, "row", SAVED + 48 * HOUR) == [first, first + 24 * HOUR]
    assert store.get("row").when == when


@pytest.mark.parametrize(
    ("when", "word"),
    [
        (cron("1-100000000 * * * *"), "100000000"),
        (cron("0 0 30 2 *"), "never fires"),
        (cron("0 6 * * mon#6"), "1 to 5"),
        (cron("0 6 * * *", "Mars/Olympus"), "Mars/Olympus"),
        (IntervalWhen(every=0.01), "1 to"),
        (recur("FREQ=DAILY;UNTIL=20200101", "2026-11-20T06:00Z"), "UNTIL"),
        (OnceWhen(at=at("2026-11-20T00:00Z")), "has passed"),
    ],
)
def test_dialect_what_cannot_be_meant_is_refused_and_nothing_is_stored(
    store: ScheduleStore, when: When, word: str
) -> None:
    with pytest.raises(Refused, match=word):
        store.create(a_spec("row", when=when), edit=Edit(actor="ada", now=SAVED))
    assert store.names() == []


SAVED = at("2026-11-21T00:00Z")
ALLOW = Policies(overlap="allow")


def fired(beat: RedBeatScheduler, redis: Redis, name: str, until: datetime) -> list[datetime]:
    """Let Beat look whenever Redis says so, up to `until`; the ticks of all messages so far."""
    looks = 0
    while (due := score(redis, name)) is not None and 0 <= due <= until.timestamp():
        moment = datetime.fromtimestamp(due, UTC)
        looks += 1
        assert looks < 100, f"Beat looks at {moment} again and again"
        assert not look(beat, name, moment - SECOND).is_due()[0]
        beat.maybe_due(look(beat, name, moment))
    return [datetime.fromisoformat(message["headers"]["tick"]) for message in messages(redis)]


def look(beat: RedBeatScheduler, name: str, moment: datetime) -> BeatEntry:
    """The entry as Beat holds it at `moment`."""
    kind = type("EntryOfThen", (BeatEntry,), {"default_now": lambda _: moment})
    entry: BeatEntry = kind.from_key(keys.entry(name), app=beat.app)
    return entry
