"""What a dead letter says to people and programs: what it is about, and nothing that must stay
hidden.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from scheduler.events.letter_text import (
    MOST_TEXT,
    Content,
    DeadLetter,
    content_of,
    fact_of,
    letter_json,
    texts_of,
)
from scheduler.events.schema import DeadLettersDropped, encode
from scheduler.events.secret_names import MASK
from tests.support.builders import NOON, a_run_history, a_saved_event

SECRET = "hunter2hunter2"


def a_letter(
    raw: Mapping[str, bytes] | None = None, why: str = "ValueError: no", **event: Any
) -> DeadLetter:
    raw = {"event": json.dumps(event).encode()} if raw is None else raw
    return DeadLetter(
        "1795953600000-0", "17-0", why, raw, datetime(2026, 11, 29, 12, tzinfo=UTC), 3, 1, "11-0"
    )


def test_a_letter_says_what_its_event_was_about() -> None:
    started = encode(a_run_history()[2])["event"].encode()
    saved = encode(a_saved_event())["event"].encode()
    assert content_of(a_letter({"event": started}))[:3] == (
        "run.started",
        "run-1",
        "2026-11-21T12:00:00.020000Z",
    )
    assert content_of(a_letter({"event": saved}))[:2] == ("schedule.saved", "nightly-report")
    assert content_of(a_letter(kind="ticks.missed", schedule="nightly"))[:2] == (
        "ticks.missed",
        "nightly",
    )
    assert content_of(a_letter(kind="calendar.saved", calendar={"name": "holidays"}))[:2] == (
        "calendar.saved",
        "holidays",
    )


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense", b"[1]", b"17", b"null", b"\xff\xfe", b"[" * 100_000, b'"text"', b"{" * 9],
)
def test_what_is_no_event_has_no_content_and_can_be_shown(raw: bytes) -> None:
    letter = a_letter({"event": raw})
    assert content_of(letter) == Content()
    assert fact_of(letter).model_dump() == {
        "id": letter.id,
        "kind": "",
        "about": "",
        "error": "ValueError: no",
    }
    json.dumps(letter_json(letter, whole=True))


def test_values_of_any_kind_in_its_places_are_no_content() -> None:
    for value in (None, 7, [], {}, {"name": 7}, True):
        assert content_of(a_letter(kind=value, run=value, at=value))[:3] == ("", "", "")


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    assert texts_of(a_letter({"event": b"\xff{", "\ufffd": b"\x00"})) == {
        "event": "\\xff{",
        "\ufffd": "\\x00",
    }


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "run.queued", "facts": {"kwargs": {"password": SECRET}}},
        {"kind": "run.failed", "error": f"login failed for password={SECRET}"},
        {"kind": "run.queued", "facts": {"args": [f"postgresql://ada:{SECRET}@db/shop"]}},
        {
            "kind": "run.queued",
            "facts": {"kwargs": {"headers": {"Authorization": f"Bearer {SECRET}"}}},
        },
        {"kind": f"password={SECRET}", "run": f"password={SECRET}", "at": f"password={SECRET}"},
    ],
)
def test_no_secret_is_shown_wherever_it_stands(event: dict[str, Any]) -> None:
    why = f"ValidationError: input_value={{'password': '{SECRET}'}}"
    for letter in (
        a_letter(why=why, **event),
        a_letter({"event": json.dumps(event).encode()[:-1]}, why),
    ):
        shown = json.dumps(
            [letter_json(letter, whole=True), fact_of(letter).model_dump()], ensure_ascii=False
        )
        assert SECRET not in shown
        assert MASK in shown


@pytest.mark.parametrize(
    "why",
    [
        f"UndecodableEvent: 2 faults\n`a`\n  wrong [type=x, input_value='...{SECRET}', "
        "input_type=str]\n  more",
        f"IntegrityError: no\n[SQL: INSERT INTO runs]\n[parameters: ('a', '{SECRET}'\n, "
        f"'{SECRET}')]\n(Background)",
    ],
)
def test_a_reason_is_shown_without_the_values_in_it(why: str) -> None:
    shown = letter_json(a_letter(why=why))["error"]
    assert SECRET not in shown + fact_of(a_letter(why=why)).error
    assert "[values hidden]" in shown
    assert shown.startswith(why.partition("\n")[0])


def test_a_letter_as_programs_get_it() -> None:
    letter = a_letter(kind="run.started", run="run-1", at="2026-11-21T12:00:00Z")
    body = {
        "id": "1795953600000-0",
        "at": "2026-11-29T12:00:00.000Z",
        "kind": "run.started",
        "about": "run-1",
        "event_at": "2026-11-21T12:00:00Z",
        "error": "ValueError: no",
        "tries": 3,
        "retries": 1,
        "size": len("event") + len(letter.raw["event"]),
    }
    assert letter_json(letter) == body
    whole = letter_json(letter, whole=True)
    assert {name: whole[name] for name in body} == body
    assert (whole["entry"], whole["first_entry"]) == ("17-0", "11-0")
    assert whole["event"] == {"kind": "run.started", "run": "run-1", "at": "2026-11-21T12:00:00Z"}
    assert json.loads(whole["fields"]["event"]) == whole["event"]


def test_a_huge_letter_is_cut_and_says_so() -> None:
    letter = a_letter(kind="log.written", run="r" * 5000, lines=["x" * 1000] * 1000)
    body = letter_json(letter, whole=True)
    assert body["event"] is None
    assert len(body["fields"]["event"]) < MOST_TEXT + 100
    assert "[cut:" in body["fields"]["event"]
    assert len(body["about"]) == 200
    assert len(fact_of(letter).model_dump_json()) < 1000


def test_the_letters_come_last_in_the_event_so_that_a_script_can_add_them() -> None:
    text = encode(DeadLettersDropped(at=NOON, actor="ada", comment="]}", letters=[]))["event"]
    assert text.endswith('"letters":[]}')


def test_a_secret_inside_a_text_at_any_depth_is_hidden() -> None:
    letter = a_letter(error=f"no: password={SECRET}", lines=[{"text": f"token={SECRET}"}])
    event = content_of(letter).event
    assert event is not None
    assert SECRET not in json.dumps(event)
    assert event["error"] == f"no: password={MASK}"
