"""Log lines that programs can read and that nobody can forge."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from scheduler.settings.logging import configure


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level


def logged(format: str, message: str, **extra: object) -> str:
    out = io.StringIO()
    configure("INFO", format, out)
    logging.getLogger("some.place").warning(message, extra=extra)
    return out.getvalue()


def test_a_line_of_json_has_the_facts() -> None:
    line = json.loads(logged("json", "it \n happened", run="r1"))
    assert line["level"] == "WARNING"
    assert line["logger"] == "some.place"
    assert line["message"] == "it \n happened"
    assert line["run"] == "r1"
    assert line["at"].endswith("Z")


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_message_stays_on_one_line(format: str) -> None:
    assert len(logged(format, "one\r\n2026-01-01 00:00:00 INFO forged: two").splitlines()) == 1


def test_an_error_brings_its_traceback() -> None:
    out = io.StringIO()
    configure("INFO", "json", out)
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("some.place").exception("failed")
    assert "ValueError: no" in json.loads(out.getvalue())["traceback"]


def test_the_level_is_the_least_that_is_logged() -> None:
    out = io.StringIO()
    configure("ERROR", "text", out)
    logging.getLogger("some.place").warning("quiet")
    assert out.getvalue() == ""
