"""A request over its budget is ended; one within it, and the next one of its thread, are not."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from time import monotonic
from typing import Any

import pytest

from scheduler.history import outage
from scheduler.history.database_use import DatabaseUse
from scheduler.storage.waiting_time import WaitingTime
from tests.support.waiting import wait_for
from webadmin.budgets import watchdog
from webadmin.budgets.middleware import KEY, Budgets
from webadmin.budgets.table import BUDGETS, DOWNLOAD, USUAL, Budget
from webadmin.budgets.watchdog import AGAIN, Watchdog
from webadmin.budgets.watched import OverBudget, Watched
from webadmin.front.lengths import BODIES, LARGEST_BODY
from webadmin.guard import LEAST_ROLE

SMALL = Budget(wall=60.0, cpu=0.05)


def in_thread(act: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def burn() -> None:
    """Work without an end."""
    for number in count():
        number * number


def test_a_request_that_works_too_long_is_ended_and_named_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dog = Watchdog()
    ended = threading.Event()

    def request() -> None:
        watched = Watched("GET '/slow'", SMALL)
        dog.begin(watched)
        try:
            burn()
        except OverBudget:
            ended.set()
        finally:
            dog.end(watched)

    with caplog.at_level(logging.ERROR):
        in_thread(request).join(60)
    assert ended.is_set()
    assert "GET '/slow' has used its 0.05 s of processor time" in caplog.text
    assert "in burn" in caplog.text


def test_the_thread_that_watches_ends_without_requests_and_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watchdog, "IDLE", 0.05)
    before = set(threading.enumerate())

    def watching() -> list[threading.Thread]:
        new = set(threading.enumerate()) - before
        return [thread for thread in new if thread.name == "beatdesk-budgets"]

    dog = Watchdog()
    for _ in range(2):
        watched = Watched("GET '/'", SMALL)
        dog.begin(watched)
        assert len(watching()) == 1
        dog.end(watched)
        wait_for(lambda: not watching(), 20, "the thread ends")


def test_a_request_that_catches_its_end_is_ended_again() -> None:
    dog = Watchdog()
    times: list[float] = []

    def request() -> None:
        watched = Watched("GET '/'", SMALL)
        dog.begin(watched)
        while len(times) < 2:
            try:
                burn()
            except OverBudget:
                times.append(monotonic())
        dog.end(watched)

    in_thread(request).join(60)
    assert times[1] - times[0] >= AGAIN - 0.1


def test_what_is_over_is_not_ended_later() -> None:
    """The thread's next request is another one, also where the end came a moment too late."""
    dog = Watchdog()
    has_finished = threading.Event()
    ended: list[int] = []

    def request(number: int) -> None:
        watched = Watched("GET '/'", Budget(cpu=0.0))
        try:
            dog.begin(watched)
            try:
                assert sum(number * number for number in range(20_000)) > 0
            finally:
                dog.end(watched)
        except OverBudget:
            dog.end(watched)
            ended.append(number)

    def requests() -> None:
        for number in count():
            request(number)
            assert sum(number * number for number in range(500)) > 0
            if len(ended) >= 20:
                break
        has_finished.set()

    thread = in_thread(requests)
    while not has_finished.wait(0.001) and thread.is_alive():
        dog.look(monotonic())
    assert has_finished.is_set()


def test_a_thread_that_may_hold_a_lock_is_left_alone() -> None:
    release = threading.Event()
    made: list[Watched] = []

    def request() -> None:
        made.append(Watched("GET '/'", SMALL))
        release.wait()

    thread = in_thread(request)
    wait_for(lambda: made and "wait" in made[0].stack(), 10, "the thread waits")
    assert not made[0].end()
    release.set()
    thread.join(10)


def test_over_its_wall_time_no_server_answers_a_request() -> None:
    dog = Watchdog()
    watched = Watched("GET '/'", Budget(wall=0.0))
    watched.time, watched.use = WaitingTime(2.0), DatabaseUse()
    dog.begin(watched)
    dog.look(monotonic())
    dog.end(watched)
    assert watched.is_late
    assert watched.time.left == 0
    with pytest.raises(outage.GaveUp, match="longer than 0 s"):
        watched.use.refuse_after_failure()


def test_every_row_of_the_table_is_an_endpoint_and_long_texts_have_a_row() -> None:
    assert BUDGETS.keys() <= LEAST_ROLE.keys()
    long_texts = {endpoint for endpoint, bytes_ in BODIES.items() if bytes_ == LARGEST_BODY}
    assert {endpoint for endpoint in long_texts if BUDGETS[endpoint].cpu <= USUAL.cpu} == set()


def answer_with(pieces: Iterator[bytes], budget: Budget) -> Iterable[bytes]:
    """The body of an application behind its budget."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[KEY].budget = budget
        start_response("200 OK", [])
        return pieces

    return Budgets(application, Watchdog())({"PATH_INFO": "/"}, lambda *_: lambda _: None)


def test_a_download_has_a_budget_for_each_piece_and_an_end() -> None:
    def endless() -> Iterator[bytes]:
        yield b"one"
        burn()

    assert b"".join(answer_with(iter([b"one", b"two"]), DOWNLOAD)) == b"onetwo"
    with pytest.raises(TimeoutError, match="ended over its budget"):
        list(answer_with(endless(), DOWNLOAD._replace(cpu=0.05)))
    with pytest.raises(TimeoutError, match="longer than 0 s"):
        list(answer_with(iter([b"one"]), DOWNLOAD._replace(wall=0.0)))


def test_a_request_that_is_ended_has_an_answer_before_its_status_is_sent_and_none_after() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[KEY].budget = SMALL
        if environ["PATH_INFO"] == "/late":
            start_response("200 OK", [])
        burn()
        return []

    statuses: list[str] = []
    budgets = Budgets(application, Watchdog())
    body = budgets({"PATH_INFO": "/"}, lambda status, *_: statuses.append(status))  # type: ignore[arg-type, return-value]
    assert statuses == ["503 Service Unavailable"]
    assert b"more processor time" in b"".join(body)
    with pytest.raises(TimeoutError, match="ended over its budget"):
        budgets({"PATH_INFO": "/late"}, lambda *_: lambda _: None)
