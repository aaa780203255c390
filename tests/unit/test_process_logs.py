"""Log lines that programs can read and that nobody can forge."""

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from scheduler.events.secret_names import MASK
from scheduler.process_logs import LONGEST_TEXT, configure, mask_handlers


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook
    yield
    sys.excepthook, threading.excepthook = hooks
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


SECRETS = {
    "address": "cannot reach redis://worker:hunter2xyz@host:6379/0",
    "header": "sent Authorization: Bearer hunter2xyzhunter2xyz12",
    "assignment": "retrying with password=hunter2xyz",
    "json": 'body {"api_key": "hunter2xyz"}',
}


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_line_has_a_secret_in_its_message_or_traceback(format: str, secret: str) -> None:
    out = io.StringIO()
    configure("INFO", format, out)
    log = logging.getLogger("some.place")
    log.warning("%s (%d)", SECRETS[secret], 7, stack_info=True)
    try:
        raise ValueError(SECRETS[secret])
    except ValueError:
        log.exception("it failed")
    assert "hunter2" not in out.getvalue()
    assert out.getvalue().count(MASK) >= 2
    assert "(7)" in out.getvalue()
    assert "ValueError" in out.getvalue()


def test_no_extra_field_has_a_secret() -> None:
    extra = {
        "token": "hunter2xyz",
        "call": {"password": "hunter2xyz", "url": "https://a:hunter2xyz@host/"},
        "failure": ValueError("password=hunter2xyz"),
        "attempt": 3,
    }
    line = json.loads(logged("json", "it failed", **extra))
    assert "hunter2" not in str(line)
    assert line["token"] == MASK
    assert line["call"] == {"password": MASK, "url": f"https://a:{MASK}@host/"}
    assert line["attempt"] == 3


def test_a_line_without_a_secret_stays_as_it_is() -> None:
    plain = "run 0190 of nightly-report succeeded: {'rows': 12, 'took': 1.5}"
    assert json.loads(logged("json", plain))["message"] == plain
    assert logged("text", plain).endswith(f"{plain}\n")


def test_a_huge_line_is_cut_before_it_takes_long() -> None:
    line = json.loads(logged("json", "token=hunter2xyz " * 100_000))["message"]
    assert len(line) < LONGEST_TEXT + 100
    assert line.endswith("characters more]")
    assert "hunter2" not in line


def test_a_line_that_cannot_be_formatted_does_not_stop_the_process(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = io.StringIO()
    configure("INFO", "text", out)
    logging.getLogger("some.place").warning("%d", "no number")
    logging.getLogger("some.place").warning("afterwards")
    assert "afterwards" in out.getvalue()
    assert "no number" in capsys.readouterr().err


def test_handlers_of_other_loggers_are_masked_once() -> None:
    out = io.StringIO()
    other = logging.getLogger("other.server")
    handler = logging.StreamHandler(out)
    other.addHandler(handler)
    try:
        mask_handlers("other.server")
        mask_handlers("other.server")
        other.error("GET /login?token=hunter2xyz")
    finally:
        other.removeHandler(handler)
    assert out.getvalue() == f"GET /login?token={MASK}\n"
    assert len(handler.filters) == 1


def test_what_ends_a_thread_is_logged_without_its_secrets() -> None:
    def run() -> None:
        raise ValueError("password=hunter2xyz")

    out = io.StringIO()
    configure("INFO", "text", out)
    thread = threading.Thread(target=run, name="recorder")
    thread.start()
    thread.join()
    assert "the thread recorder ends by an error" in out.getvalue()
    assert f"ValueError: password={MASK}" in out.getvalue()


def test_what_ends_a_process_is_logged_without_its_secrets() -> None:
    program = (
        "from scheduler.process_logs import configure; configure('WARNING', 'json');"
        "secret = 'hunter2xyz'; raise ValueError(f'redis://:{secret}@host')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    line = json.loads(ended.stderr)
    assert line["level"] == "CRITICAL"
    assert line["traceback"].endswith(f"ValueError: redis://:{MASK}@host")
    assert "hunter2" not in line["traceback"].splitlines()[-1]
