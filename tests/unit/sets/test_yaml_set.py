"""A set says what operators say of their schedules, and every fault in one is told with its
place.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.calendars.text import calendar_of
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    Policies,
    RruleWhen,
    Spec,
    Window,
)
from scheduler.sets import yaml_text
from scheduler.sets.faults import BadSet
from scheduler.sets.yaml_set import ScheduleSet, read, write
from tests.support.builders import NOON, a_spec, cron, every

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
WHENS = (
    st.builds(CrontabWhen, crontab=TEXTS, timezone=TEXTS, day_match=st.sampled_from(["and", "or"]))
    | st.builds(IntervalWhen, every=st.floats(1, 1e8), anchor=st.none() | MOMENTS)
    | st.builds(OnceWhen, at=MOMENTS)
    | st.builds(RruleWhen, rrule=TEXTS, dtstart=MOMENTS, timezone=TEXTS)
)
SPECS = st.builds(
    Spec,
    name=TEXTS,
    job=TEXTS,
    enabled=st.booleans(),
    when=WHENS,
    args=st.lists(JSON, max_size=3),
    kwargs=st.dictionaries(TEXTS, JSON, max_size=3),
    queue=st.none() | TEXTS,
    priority=st.none() | st.integers(0, 9),
    policies=st.builds(
        Policies,
        overlap=st.sampled_from(["skip", "allow"]),
        retries=st.integers(0, 100),
        jitter=st.floats(0, 1e6),
    ),
    window=st.builds(
        Window, starts_at=st.none() | MOMENTS, max_runs=st.none() | st.integers(1, 99)
    ),
    owner=TEXTS,
    tags=st.lists(TEXTS, max_size=3),
    description=TEXTS,
    notes=TEXTS,
)


@given(st.lists(SPECS, max_size=5, unique_by=lambda spec: spec.name))
def test_a_set_that_was_written_is_read_again_as_it_was(specs):
    again, _ = read(write(ScheduleSet(specs)))
    assert sorted(again.schedules, key=lambda s: s.name) == sorted(specs, key=lambda s: s.name)


def test_defaults_are_left_out_and_the_order_does_not_depend_on_anything():
    late = a_spec("b", when=every(300, NOON), owner="ada", notes="one\ntwo\n")
    early = a_spec("a", kwargs={"days": 1}, when=cron("0 6 * * mon-fri", "Europe/Berlin"))
    text = write(ScheduleSet([late, early]))
    assert text == write(ScheduleSet([early, late]))
    assert text.split("apply FILE    change it\n")[1] == (
        "version: 1\nschedules:\n"
        "- name: a\n  job: reports.job_summary\n"
        "  when:\n    kind: crontab\n    crontab: 0 6 * * mon-fri\n    timezone: Europe/Berlin\n"
        "  kwargs:\n    days: 1\n"
        "- name: b\n  job: reports.job_summary\n"
        "  when:\n    kind: interval\n    every: 300\n    anchor: '2026-11-21T12:00:00Z'\n"
        "  owner: ada\n  notes: |\n    one\n    two\n"
    )


def test_the_place_of_an_h_is_not_written():
    assert "resolved" not in write(
        ScheduleSet([a_spec(when=cron("H 6 * * *", resolved="17 6 * * *"))])
    )


def faults(text):
    with pytest.raises(BadSet) as refused:
        read(text)
    return [str(fault) for fault in refused.value.faults]


def test_all_faults_are_told_at_once_with_path_and_line():
    told = faults(
        "version: 1\n"
        "schedules:\n"
        "  - name: a\n"
        "    job: j\n"
        "    when: {kind: crontab, crontab: 0 6 * * *, zone: UTC}\n"
        "  - name: b\n"
        "    job: j\n"
        "    when:\n"
        "      kind: interval\n"
        "      every: often\n"
        "    priority: 12\n"
        "  - name: c\n"
        "    when: {kind: cron, crontab: 0 6 * * *}\n"
        "    polices: {}\n"
        "    policies: {overlap: never}\n"
    )
    assert [fault.split(":")[0] for fault in told] == [
        "schedules[0].when.zone (line 5)",
        "schedules[1].when.every (line 10)",
        "schedules[1].priority (line 11)",
        "schedules[2].job (line 12)",
        "schedules[2].when (line 13)",
        "schedules[2].policies.overlap (line 15)",
        "schedules[2].polices (line 14)",
    ]
    assert "known are kind, crontab, resolved, timezone" in told[0]
    assert "this is missing" in told[3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a set begins with"),
        ("[]", "a set begins with"),
        ("schedules: []", "version: None is not a format"),
        ("version: 2\nschedules: []", "version (line 1): 2 is not a format"),
        ("version: true\nschedules: []", "True is not a format"),
        ("version: 1", "schedules: a list is wanted"),
        ("version: 1\nschedules: {}", "a list is wanted"),
        ("version: 1\nschedules: []\nprune: true", "prune (line 3): unknown key"),
        ("version: 1\ntags: reports\nschedules: []", "tags (line 2): a list of texts"),
        ("version: 1\ncalendars: {}\nschedules: []", "calendars (line 2): a list is wanted"),
        ("version: 1\nschedules: [3]", "schedules[0] (line 2)"),
    ],
)
def test_a_wrong_frame_is_told(text, said):
    assert said in faults(text)[0]


def test_a_name_that_stands_twice_is_told():
    one = "  - {name: a, job: j, when: {kind: interval, every: 60}}\n"
    assert (
        "schedules[1].name (line 4): 'a' stands in schedules[0] already"
        in faults(f"version: 1\nschedules:\n{one}{one}")[0]
    )


LINES = [
    "sat-sun",
    "mon-fri 22:00-06:00 Night",
    "2026-12-24..2027-01-01 Christmas",
    "2026-12-28T14:00+01:00..2026-12-28T18:00+01:00",
]


def test_calendars_are_written_before_the_schedules_and_read_again_as_they_were():
    berlin = calendar_of("b", LINES, timezone="Europe/Berlin", description="agreed")
    plain = calendar_of("a", ["sun"])
    text = write(ScheduleSet([], [], [berlin, plain]))
    assert text.split("change it\n")[1].startswith(
        "version: 1\ncalendars:\n- name: a\n  excluded:\n  - sun\n- name: b\n  timezone: "
        "Europe/Berlin\n"
    )
    assert read(text)[0].calendars == [plain, berlin]


def test_every_fault_of_calendars_is_told_with_path_and_line():
    told = faults(
        "version: 1\n"
        "calendars:\n"
        "  - name: a\n"
        "    timezone: Mars/Base\n"
        "  - name: b\n"
        "    excluded:\n"
        "      - sun\n"
        "      - someday\n"
        "      - 2026-02-30\n"
        "  - {name: b, excluded: [7]}\n"
        "  - name: b\n"
        "  - {name: a b, days: []}\n"
        "  - {name: a b}\n"
        "  - excluded: []\n"
        "    description: 3\n"
        "schedules:\n"
        "  - {name: a, when: {kind: interval, every: 60}}\n"
    )
    assert [fault.split(": ")[0] for fault in told] == [
        "calendars[0].timezone (line 4)",
        "calendars[1].excluded[1] (line 8)",
        "calendars[1].excluded[2] (line 9)",
        "calendars[2].excluded[0] (line 10)",
        "calendars[3].name (line 11)",
        "calendars[4].days (line 12)",
        "calendars[5].name (line 13)",
        "calendars[6].name (line 14)",
        "calendars[6].description (line 15)",
        "schedules[0].job (line 17)",
    ]
    assert "stands in calendars[1] already" in told[4]
    assert "unknown key; known are name, timezone, description, excluded" in told[5]


def test_a_set_with_too_many_schedules_is_refused():
    assert "20000 are allowed" in faults(f"version: 1\nschedules: [{'1,' * 20_001}]")[0]


def test_a_set_with_tags_speaks_for_these_only():
    tagged = ScheduleSet([], ["reports"])
    assert tagged.speaks_for(a_spec(tags=["reports", "x"]))
    assert not tagged.speaks_for(a_spec(tags=["x"]))
    assert ScheduleSet([]).speaks_for(a_spec())
    assert read(write(ScheduleSet([], ["b", "a"])))[0].tags == ["a", "b"]


def test_every_moment_keeps_its_microsecond():
    at = NOON + timedelta(microseconds=1)
    assert read(write(ScheduleSet([a_spec(when=OnceWhen(at=at))])))[0].schedules[
        0
    ].when == OnceWhen(at=at)


def test_a_key_that_looks_like_a_merge_is_a_text_when_it_stands_in_quotes() -> None:
    assert yaml_text.read(yaml_text.write({"<<": None})).value == {"<<": None}
