"""All questions of a caller to Redis share one allowance."""

import threading

import pytest

from scheduler.storage.waiting_time import (
    ServerRecord,
    WaitingTime,
    acquire,
    limited_to,
    redis_time,
)


def test_each_question_waits_for_what_the_others_have_left() -> None:
    time = WaitingTime(2.0)
    time.spend(0.5)
    assert time.left == 1.5
    time.spend(9.0)
    assert time.left == 0
    assert time.spent == 9.5


def test_a_question_waits_no_longer_than_one_may() -> None:
    time = WaitingTime(10.0, each=2.0)
    assert time.left == 2.0
    time.spend(9.0)
    assert time.left == 1.0


def test_after_a_question_without_an_answer_nothing_is_left() -> None:
    record = ServerRecord()
    time = WaitingTime(10.0, record=record)
    time.give_up()
    assert time.left == 0
    assert record.is_silent


def test_an_answer_ends_the_silence_and_a_lost_connection_does_not() -> None:
    record = ServerRecord()
    WaitingTime(1.0, record=record).give_up()
    time = WaitingTime(1.0, record=record)
    time.spend(0.1, is_answered=False)
    assert record.is_silent
    time.spend(0.1)
    assert not record.is_silent


def test_a_part_spends_the_time_of_the_whole() -> None:
    record = ServerRecord()
    whole = WaitingTime(2.0, record=record)
    part = WaitingTime(1.5, within=whole)
    part.spend(1.0)
    assert (part.left, whole.left) == (0.5, 1.0)
    whole.spend(0.75)
    assert part.left == 0.25
    part.give_up()
    assert whole.left == 0
    assert record.is_silent


def test_the_allowance_is_that_of_the_code_inside_and_of_no_other_thread() -> None:
    times: list[WaitingTime | None] = []
    time = WaitingTime(1.0)
    with limited_to(time):
        assert redis_time() is time
        with limited_to(WaitingTime(0.5)):
            assert redis_time() is not time
        thread = threading.Thread(target=lambda: times.append(redis_time()))
        thread.start()
        thread.join()
    assert redis_time() is None
    assert times == [None]


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_a_lock_of_a_thread_that_waits_is_left_alone_in_time(seconds: float) -> None:
    lock = threading.Lock()
    lock.acquire()
    time = WaitingTime(seconds)
    with limited_to(time):
        assert not acquire(lock)
    assert time.left == 0
    lock.release()
    assert acquire(lock)
