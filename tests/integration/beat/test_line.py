"""The line on which Beat asks its scripts: answers in order, pending before the last one is
answered.
"""

from hashlib import sha1

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import ResponseError

from scheduler.beat.script_pipeline import ScriptPipeline
from scheduler.storage.scripts import Script


class Saying(Script):
    """A script of the test's own."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()


SAY = Saying("return ARGV[1]")
PUSH = Saying("return redis.call('RPUSH', KEYS[1], ARGV[1])")


def test_answers_come_in_the_order_of_the_questions(redis: Redis) -> None:
    line = ScriptPipeline(redis)
    pending = [line.send(PUSH, ["list"], [number]) for number in range(5)]
    assert [one.wait() for one in pending] == [1, 2, 3, 4, 5]
    assert redis.lrange("list", 0, -1) == ["0", "1", "2", "3", "4"]


def test_an_answer_that_is_asked_for_first_does_not_lose_those_before_it(redis: Redis) -> None:
    line = ScriptPipeline(redis)
    first, second = line.send(SAY, [], ["a"]), line.send(SAY, [], [b"\xff"])
    assert second.wait() == b"\xff"
    assert first.wait() == b"a"


def test_a_server_that_has_forgotten_the_scripts_is_told_them_once_more(redis: Redis) -> None:
    line = ScriptPipeline(redis)
    line.send(SAY, [], ["a"]).wait()
    line.send(PUSH, ["list"], ["a"]).wait()
    redis.script_flush()
    push, say = line.send(PUSH, ["list"], ["b"]), line.send(SAY, [], ["c"])
    assert push.wait() == 2
    assert say.wait() == b"c"
    assert redis.lrange("list", 0, -1) == ["a", "b"]


def test_an_error_is_the_answer_to_its_own_question_only(redis: Redis) -> None:
    line = ScriptPipeline(redis)
    redis.set("text", "no list")
    wrong, right = line.send(PUSH, ["text"], ["a"]), line.send(SAY, [], ["b"])
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        wrong.wait()
    assert right.wait() == b"b"


def test_after_a_drop_nobody_waits_for_answers_of_a_connection_that_the_pool_has_closed(
    redis: Redis,
) -> None:
    line = ScriptPipeline(redis)
    line.send(SAY, [], ["old"])
    line.drop()
    redis.connection_pool.disconnect()
    assert line.send(SAY, [], ["new"]).wait() == b"new"


def test_what_is_dropped_is_not_taken_for_the_answer_to_the_next_question(redis: Redis) -> None:
    line = ScriptPipeline(redis)
    line.send(SAY, [], ["old"])
    line.drop()
    assert line.send(SAY, [], ["new"]).wait() == b"new"


def test_a_line_that_broke_is_opened_anew(redis: Redis) -> None:
    line = ScriptPipeline(redis)
    line.send(SAY, [], ["a"]).wait()
    redis.client_kill_filter(_type="normal", skipme=True)
    with pytest.raises(Broken):
        line.send(SAY, [], ["b"]).wait()
    assert line.send(SAY, [], ["c"]).wait() == b"c"
