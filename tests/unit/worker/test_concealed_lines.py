"""A secret of a running job is hidden whole in process logs, also where a part of it has a name."""

import io
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from scheduler.events.secret_names import MASK
from scheduler.process_logs import configure
from scheduler.worker.execution import captured
from scheduler.worker.execution.secret_refs import Concealer

SECRET = "hunter2,rest-of;secret"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The lines of a worker, while a job runs that got the secret."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    out = io.StringIO()
    configure("INFO", "text", out)
    end = captured.conceal_elsewhere(Concealer([SECRET]).text)
    yield out
    end()
    logging.captureWarnings(False)
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before


def test_no_part_of_a_secret_with_a_comma_is_in_a_message(lines: io.StringIO) -> None:
    logging.getLogger("shop").info("connecting with password=%s now", SECRET)
    assert lines.getvalue().endswith(f"connecting with password={MASK} now\n")


def test_no_part_of_a_secret_with_a_comma_is_in_a_traceback(lines: io.StringIO) -> None:
    try:
        raise ValueError(f"token={SECRET}")
    except ValueError:
        logging.getLogger("shop").exception("it failed")
    assert lines.getvalue().endswith(f"ValueError: token={MASK}\n")
    assert "rest-of" not in lines.getvalue()
