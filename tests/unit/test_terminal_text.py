"""Data never controls a terminal: what is unprintable is escaped, in every way out."""

import io
import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.cli.output import print_json
from scheduler.cli.refusals import Failure
from scheduler.process_logs import formatter
from scheduler.terminal_text import visible, visible_json, visible_lines
from scheduler.up.console import Console

HOSTILE = "\x1b]0;mine\x07\x1b[2J\x9b31mred\r\x08\u202egnp.exe"


def is_harmless(text: str) -> bool:
    return not any(unicodedata.category(sign) in {"Cc", "Cf", "Cs"} for sign in text)


@given(st.text())
def test_a_line_has_no_control_characters(text: str) -> None:
    assert is_harmless(visible(text))
    assert is_harmless(visible_lines(text).replace("\n", "").replace("\t", ""))


@given(st.recursive(st.text(), lambda part: st.lists(part) | st.dictionaries(st.text(), part)))
def test_json_says_the_same_without_control_characters(value: object) -> None:
    text = visible_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert is_harmless(text.replace("\n", ""))


def test_a_line_of_a_child_cannot_control_the_terminal() -> None:
    out = io.StringIO()
    Console(out).follow("worker", io.BytesIO(f"{HOSTILE}\n".encode())).join()
    assert out.getvalue().startswith("worker   │ \\x1b]0;mine\\x07\\x1b[2J\\x9b31mred\\r\\x08")
    assert is_harmless(out.getvalue().rstrip("\n"))


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_log_line_cannot_control_the_terminal(format: str) -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        facts = (type(error), error, error.__traceback__)
    record = logging.LogRecord("job", logging.ERROR, "job.py", 1, HOSTILE, None, facts)
    line = formatter(format).format(record)
    assert "\\x1b[2J" in line or "\\u001b[2J" in line
    assert is_harmless(line.replace("\n", ""))


@pytest.mark.parametrize("as_json", [True, False])
def test_a_refusal_cannot_control_the_terminal(as_json: bool) -> None:
    out = io.StringIO()
    Failure(HOSTILE, field="name", as_json=as_json).show(out)
    assert is_harmless(out.getvalue().rstrip("\n"))
    assert "gnp.exe" in out.getvalue()


def test_json_of_a_command_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": HOSTILE})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"name": HOSTILE}
    assert is_harmless(printed.replace("\n", ""))
