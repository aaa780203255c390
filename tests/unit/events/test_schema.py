"""The vocabulary of events is a public contract: what was once written decodes for ever."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from scheduler.events.schema import (
    FIELD,
    PHASE,
    AnyEvent,
    NewerEvent,
    RunStarted,
    UndecodableEvent,
    decode,
    encode,
    prepare,
    run_event,
)
from tests.support.builders import NOON, a_run_history, a_saved_event

GOLDEN = sorted((Path(__file__).parent / "golden").rglob("*.json"))
KINDS = {kind.model_fields["kind"].default for kind in get_args(get_args(AnyEvent)[0])}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_event_of_any_past_version_decodes_and_says_the_same(path: Path) -> None:
    written: dict[str, Any] = json.loads(path.read_text())
    event = decode({FIELD: path.read_text()})
    assert f"v{written['v']}" == path.parent.name
    assert holds(json.loads(event.model_dump_json()), written)
    assert decode(encode(event)) == event
    assert list(json.loads(encode(event)[FIELD]))[:1] == ["v"]


def test_the_events_of_a_run_leave_out_what_is_default() -> None:
    texts = [encode(event)[FIELD] for event in a_run_history()]
    assert not [text for text in texts if ":null" in text]
    assert [len(text) for text in texts] < [
        len(event.model_dump_json()) for event in a_run_history()
    ]


def test_every_kind_has_a_golden_file() -> None:
    assert {path.stem for path in GOLDEN if path.parent.name == "v1"} == KINDS


def test_every_kind_of_run_event_has_a_place_in_the_order() -> None:
    assert set(PHASE) == {kind for kind in KINDS if kind.startswith("run.")}


@pytest.mark.parametrize(
    "event", [*a_run_history(state="failed"), a_saved_event()], ids=lambda event: event.kind
)
def test_what_is_encoded_decodes_to_the_same_event(event: Any) -> None:
    assert decode(encode(event)) == event


def test_later_attempts_come_after_all_events_of_earlier_ones() -> None:
    seqs = [run_event(RunStarted, "r", attempt, NOON).seq for attempt in (1, 2, 3)]
    assert seqs == [12, 22, 32]
    assert all(10 + phase < 20 for phase in PHASE.values())


def expired(**changes: Any) -> dict[str, str]:
    """An event, as it was written, with something wrong."""
    written = {
        "v": 1,
        "kind": "run.expired",
        "at": "2026-11-21T12:00:00Z",
        "run": "r",
        "attempt": 1,
        "seq": 15,
    }
    return {FIELD: json.dumps({**written, **changes})}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "no field 'event'"),
        ({"evnt": "{}"}, "only \\['evnt'\\]"),
        ({FIELD: "not JSON"}, "not an event"),
        ({FIELD: "[]"}, "not an event"),
        ({FIELD: "[" * 100_000}, "not an event"),
        ({FIELD: "\ufffd"}, "not an event"),
        (expired(kind="run.vanished"), "run.vanished"),
        (expired(v=2), "v"),
        (expired(at="2026-11-21T12:00:00"), "timezone"),
        (expired(attempt=0), "attempt"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(fields: dict[str, str], why: str) -> None:
    with pytest.raises(UndecodableEvent, match=why):
        decode(fields)


def test_a_refusal_names_the_place_and_not_the_value() -> None:
    with pytest.raises(UndecodableEvent, match=r"run\.expired\.attempt: Input should") as refusal:
        decode(expired(password="hunter2hunter2", attempt="hunter2hunter2"))
    assert "hunter2" not in str(refusal.value)


def test_unknown_fields_are_ignored_at_every_depth() -> None:
    assert decode(expired(colour="blue", password={"a": 1})) == decode(expired())
    written = json.loads(encode(a_run_history()[0])[FIELD])
    written["facts"]["colour"] = "blue"
    assert decode({FIELD: json.dumps(written)}) == a_run_history()[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "run.vanished"},
        {"kind": "weather.changed", "run": None},
        {"v": 2},
        {"v": 2, "attempt": "first"},
        {"kind": "run.skipped", "reason": "moonlight"},
    ],
)
def test_an_event_of_a_newer_version_is_refused_as_such(changes: dict[str, Any]) -> None:
    with pytest.raises(NewerEvent):
        decode(expired(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"attempt": "first"},
        {"kind": "Run!"},
        {"kind": 7},
        {"v": "2"},
        {"v": 0},
        {"kind": "run.skipped", "reason": "moonlight", "attempt": "first"},
        {"kind": "run.skipped", "reason": 7},
    ],
)
def test_a_broken_event_is_not_taken_for_one_of_a_newer_version(changes: dict[str, Any]) -> None:
    with pytest.raises(UndecodableEvent) as refusal:
        decode(expired(**changes))
    assert not isinstance(refusal.value, NewerEvent)


WORDS = st.sampled_from(["", "a", "\x00", "\ud800", "ß…", "1", "2026-11-21T12:00:00Z"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda values: st.lists(values, max_size=2) | st.dictionaries(WORDS, values, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from(GOLDEN), st.data())
def test_the_fast_decoder_reads_what_the_standard_librarys_reads(
    path: Path, data: st.DataObject
) -> None:
    written = json.loads(path.read_text())
    for _ in range(data.draw(st.integers(0, 2))):
        facts = written.get("facts")
        inner = facts if isinstance(facts, dict) and facts else written
        spot = data.draw(st.sampled_from([written, inner]))
        spot[data.draw(st.sampled_from([*spot, "colour"]))] = data.draw(VALUES)
    text = json.dumps(written, ensure_ascii=data.draw(st.booleans()))
    union = TypeAdapter(AnyEvent)
    try:
        expected = union.validate_python(json.loads(text), extra="ignore")
    except ValidationError:
        with pytest.raises(UndecodableEvent):
            decode({FIELD: text})
        return
    # By their texts: NaN is not equal to itself.
    assert repr(decode({FIELD: text})) == repr(expected)


def holds(said: Any, written: Any) -> bool:
    """Does `said` say all that was written? New optional fields may stand beside it."""
    if isinstance(written, dict):
        return all(name in said and holds(said[name], value) for name, value in written.items())
    return bool(said == written)


def test_what_is_prepared_needs_no_making_later():
    prepare()
    union, _ = get_args(AnyEvent)
    assert [kind for kind in get_args(union) if not kind.__pydantic_complete__] == []
