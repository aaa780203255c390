"""The command line of these tests: `beatdesk`, called in this process, on the servers of the test."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scheduler import keys
from scheduler.catalogue import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.commands import cli
from scheduler.wiring import Desk


class Commands:
    """Calls commands and says what came of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def __call__(self, *words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(cli, list(words), obj=self.desk, input=typed)

    def done(self, *words: str, typed: str | None = None) -> str:
        """What a command that succeeds has printed."""
        result = self(*words, typed=typed)
        assert result.exit_code == 0, f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        return result.stdout

    def json(self, *words: str) -> Any:
        """What a command that succeeds has printed as JSON."""
        return json.loads(self.done(*words, "--json"))

    def refused(self, *words: str) -> str:
        """The message of a command that is refused: on stderr, exit 1, nothing on stdout."""
        result = self(*words)
        assert result.exit_code == 1, f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        assert isinstance(result.exception, SystemExit), repr(result.exception)
        assert result.stdout == ""
        return result.stderr

    def refused_json(self, *words: str) -> dict[str, Any]:
        """The same with --json: one object on stderr."""
        body: dict[str, Any] = json.loads(self.refused(*words, "--json"))
        return body

    def misused(self, *words: str) -> str:
        """The message of a command that is used wrongly: exit 2."""
        result = self(*words)
        assert result.exit_code == 2, f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        assert result.stdout == ""
        return result.stderr

    def written(self) -> dict[str, Any]:
        """All that edits write to: every entry, the schedule's scores, the stream's length."""
        redis = self.desk.redis
        entries = {key: redis.hgetall(key) for key in redis.scan_iter("redbeat:*") if redis.type(key) == "hash"}
        return {
            "entries": entries,
            "scores": redis.zrange(keys.SCHEDULE_ZSET, 0, -1, withscores=True),
            "events": redis.xlen(keys.EVENTS_STREAM),
        }


@pytest.fixture
def beatdesk(desk: Desk) -> Commands:
    """`beatdesk("schedules", "list")`, where a worker offers the jobs `demo.greet` and `demo.plain`."""
    whom = Parameter(name="whom", annotation="str", doc="Who it is for.")
    times = Parameter(name="times", required=False, default=1, annotation="int")
    greet = Job(name="demo.greet", title="Greet", doc="Say hello.", parameters=[whom, times], module="demo")
    plain = Job(name="demo.plain", title="Plain", module="demo")
    now = utc_now()
    worker = Worker(name="w1@host", pid=1, host="host", at=now, jobs=["demo.greet", "demo.plain"])
    desk.catalogue.publish([greet, plain], worker, now)
    return Commands(desk)


@pytest.fixture
def record(desk: Desk) -> Callable[[], None]:
    """Fold all that is in the stream into the history."""
    from scheduler.history.recorder import Recorder

    recorder = Recorder(desk.events, desk.engine, desk.redis, 1000, "test-recorder")

    def fold() -> None:
        while recorder.run_once(utc_now(), 10):
            pass

    return fold
