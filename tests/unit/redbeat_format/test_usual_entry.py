"""What is recognised as usual is decoded as `codec.decode` decodes it, and nothing else is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from scheduler.errors import UnreadableEntry
from scheduler.redbeat import codec, memory
from scheduler.redbeat.call import stored_call
from scheduler.redbeat.codec import Meta, Raw
from scheduler.redbeat.usual_entry import UsualEntry, recognise
from scheduler.rules.model.spec import (
    IntervalWhen,
    OnceWhen,
    Pause,
    Policies,
    RruleWhen,
    Schedule,
    When,
    Window,
)
from scheduler.schedules import changes
from tests.support.builders import NOON, a_saved_event, a_schedule, cron, every

TEXTS = st.text('ab "\\%,{}[]:', max_size=8) | st.sampled_from(
    [', "options": ', ', "schedule": ', '"options": {}, "schedule": 5', ',"anchor":"x"']
)
ODD_TEXTS = TEXTS | st.sampled_from(
    [
        "ü",
        "__type__",
        "\x00",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
KWARGS = st.dictionaries(TEXTS | st.sampled_from(["options", "schedule"]), VALUES, max_size=3)
WHENS: st.SearchStrategy[When] = st.sampled_from(
    [
        every(60, NOON),
        every(0.5, NOON + timedelta(microseconds=5)),
        every(45),
        cron("* * * * *"),
        cron("30 4 * * *", "Europe/Berlin"),
        cron("0 12 L * mon#2", "Asia/Kolkata", day_match="or"),
        every(3600, NOON + timedelta(hours=1)),
        every(86_400, NOON),
        cron("*/5 * * * *"),
        cron("0 6 * * mon-fri", "America/New_York"),
        RruleWhen(rrule="FREQ=HOURLY;INTERVAL=2", dtstart=NOON, timezone="America/New_York"),
        OnceWhen(at=NOON),
    ]
)
POLICIES = st.builds(
    Policies,
    overlap=st.sampled_from(["skip", "allow"]),
    jitter=st.sampled_from([0, 20]),
    retries=st.sampled_from([0, 3]),
    starting_deadline=st.sampled_from([None, 30]),
)
SCHEDULES = st.builds(
    a_schedule,
    st.sampled_from(["nightly", "a.b-c_d", "n" * 300]),
    st.sampled_from(["another.programs_job", "x", "a b"]),
    when=WHENS,
    args=st.lists(VALUES, max_size=3),
    kwargs=KWARGS,
    policies=POLICIES,
    queue=st.sampled_from([None, "bench", "q%"]),
    priority=st.sampled_from([None, 7]),
    enabled=st.sampled_from([True] * 9 + [False]),
    owner=TEXTS,
    notes=ODD_TEXTS,
    updated_at=st.sampled_from([None, NOON, NOON + timedelta(microseconds=1)]),
    updated_by=st.none() | st.just("ada") | ODD_TEXTS,
    window=st.sampled_from([Window(), Window(starts_at=NOON)]),
    paused=st.sampled_from([None, Pause(reason="x", by="ada", since=NOON)]),
)


def stored(schedule: Schedule) -> Raw:
    """The fields of a schedule as Beatdesk writes them."""
    return changes.written(schedule, None, None, NOON, a_saved_event(schedule, NOON)).raw


def recognised(name: str, raw: Raw) -> UsualEntry | None:
    """The recognised parts of the fields."""
    assert raw.definition is not None
    assert raw.extra is not None
    return recognise(name, raw.definition, raw.extra)


def is_the_same(usual: UsualEntry, name: str, raw: Raw) -> bool:
    """Whether `codec.decode` decodes the recognised parts; what it refuses is not the same."""
    entry = codec.decode(name, raw._replace(meta=None))
    call = stored_call(entry, raw.definition or "")
    schedule = entry.schedule
    when = usual.when
    if isinstance(when, IntervalWhen):
        assert when.anchor is None
        when = when.model_copy(update={"anchor": usual.anchor})
    own = schedule.model_copy(
        update={name: getattr(usual.shape.extra, name) for name in ("policies", "window", "paused")}
    )
    assert schedule.enabled
    assert own == schedule
    assert (usual.uid, usual.revision, when) == (schedule.uid, schedule.revision, schedule.when)
    assert (usual.args, usual.kwargs) == (call.args, call.kwargs)
    assert (usual.shape.task, usual.shape.options) == (schedule.job, call.options)
    return True


@given(SCHEDULES)
@settings(max_examples=400)
def test_a_recognised_entry_is_what_the_codec_decodes(schedule: Schedule) -> None:
    raw = stored(schedule)
    usual = recognised(schedule.name, raw)
    event("usual" if usual else "unusual")
    assert usual is None or is_the_same(usual, schedule.name, raw)


def test_what_beatdesk_usually_writes_is_recognised() -> None:
    for when in (every(60, NOON), cron("30 4 * * *", "Europe/Berlin")):
        schedule = a_schedule("n", "job", when=when, args=[1, "a\nb"], kwargs={"day": "mon"})
        assert recognised("n", stored(schedule)) is not None


INSERTED = st.sampled_from(
    [
        ',"uid":"11111111-1111-1111-1111-111111111111"',
        ',"revision":7',
        ',"digest":"1"',
        ',"anchor":"2026-01-01T00:00:00Z"',
        ',"when":{"kind":"interval","every":5,"anchor":"2026-01-01T00:00:00Z"}',
        ',"later":{"version":1,"anchor":"2026-01-01T00:00:00Z"}',
        ',"v":2',
        ',"override":{"fields":[],"values":{},"code":{}}',
        ',"held":true',
        ', "enabled": false',
        ', "relative": true',
        ', "options": {"queue": "other"}',
        ', "schedule": {"__type__": "interval", "every": 5, "relative": false}',
        ', "args": null',
        ', "unknown": 1',
        ', "name": "other"',
        ', "last_run_at": null',
        "9",
        " ",
        "{",
        "}",
        '"',
        "-",
    ]
)


@given(SCHEDULES, st.booleans(), st.integers(0, 600), st.integers(0, 3), INSERTED | st.just(""))
@example(a_schedule("n", when=every(60, NOON)), True, 0, 0, ',"uid":"x"')
@settings(max_examples=600)
def test_what_others_have_changed_is_decoded_the_same_or_not_recognised(
    schedule: Schedule, in_extra: bool, place: int, removed: int, inserted: str
) -> None:
    raw = stored(schedule)
    text = raw.extra if in_extra else raw.definition
    assert text is not None
    place %= len(text)
    changed = text[:place] + inserted + text[place + removed :]
    assume(changed != text)
    raw = raw._replace(**{"extra" if in_extra else "definition": changed})
    usual = recognised(schedule.name, raw)
    event("usual" if usual else "unusual")
    try:
        assert usual is None or is_the_same(usual, schedule.name, raw)
    except UnreadableEntry as error:
        raise AssertionError(f"recognised, and unreadable: {error}") from error


@given(SCHEDULES, INSERTED, st.booleans())
def test_what_is_put_between_two_parts_is_decoded_the_same_or_not_recognised(
    schedule: Schedule, inserted: str, in_extra: bool
) -> None:
    raw = stored(schedule)
    text = raw.extra if in_extra else raw.definition
    assert text is not None
    for place in [at for at, mark in enumerate(text) if mark in ",}"]:
        changed = text[:place] + inserted + text[place:]
        other = raw._replace(**{"extra" if in_extra else "definition": changed})
        usual = recognised(schedule.name, other)
        assert usual is None or is_the_same(usual, schedule.name, other)


METAS: st.SearchStrategy[Any] = st.builds(
    Meta,
    st.none() | st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
    st.none() | st.integers(0, 10**20),
)


@given(
    METAS, st.integers(0, 300), st.integers(0, 2), st.sampled_from(["", "0", "9", "٣", "}", ","])
)
def test_a_memory_is_read_the_same_both_ways(
    meta: Meta, place: int, removed: int, inserted: str
) -> None:
    text = codec.encode_meta(meta)
    assert memory.decode_memory(text) == (meta.last_run_at, meta.total_run_count)
    if meta.last_run_at is not None and meta.total_run_count is not None:
        assert memory.advanced_meta(meta.last_run_at, meta.total_run_count) == text
    place %= len(text)
    changed = text[:place] + inserted + text[place + removed :]
    assert read(memory.decode_memory, changed) == read(codec.decode_meta, changed)


def read(decode: Callable[[str], Any], text: str) -> Any:
    """The two values of a meta, or the reason why it cannot be read."""
    try:
        meta = decode(text)
    except UnreadableEntry as error:
        return str(error)
    return (meta.last_run_at, meta.total_run_count) if isinstance(meta, Meta) else meta
