"""Answers that are kept for a while."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from webadmin.stale_while_revalidate import StaleWhileRevalidate

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DESK = Services(Settings())


def test_an_answer_is_kept_while_it_is_fresh() -> None:
    asked: list[datetime] = []
    kept = StaleWhileRevalidate(
        lambda services, now: asked.append(now) or len(asked), timedelta(seconds=3)
    )
    answers = [kept.read(DESK, NOON + timedelta(seconds=seconds)) for seconds in (0, 2, 3, 4, 6, 8)]
    assert answers == [1, 1, 1, 2, 2, 3]


def test_an_old_answer_is_given_while_another_thread_asks() -> None:
    asking, go_on = threading.Event(), threading.Event()
    first, asked = True, 0

    def ask(services: Services, now: datetime) -> str:
        nonlocal first, asked
        asked += 1
        if first:
            first = False
            return "old"
        asking.set()
        assert go_on.wait(10)
        return "new"

    kept = StaleWhileRevalidate(ask, timedelta(0))
    assert kept.read(DESK, NOON) == "old"
    later = NOON + timedelta(seconds=9)
    slow = threading.Thread(target=kept.read, args=(DESK, later))
    slow.start()
    assert asking.wait(10)
    assert kept.read(DESK, later) == "old"
    go_on.set()
    slow.join(10)
    assert kept.read(DESK, later) == "new"
    assert asked == 2, "the thread's answer is the one that is there"


def test_a_question_that_failed_is_asked_again() -> None:
    answers = iter([OSError("away"), "back"])

    def ask(services: Services, now: datetime) -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    kept = StaleWhileRevalidate(ask, timedelta(0))
    with pytest.raises(OSError, match="away"):
        kept.read(DESK, NOON)
    assert kept.read(DESK, NOON) == "back"
