"""The command line in the test's own process: `beatdesk`, called with a desk, and its result."""

import json
from typing import Any

from click.testing import CliRunner, Result

from scheduler.cli import cli
from scheduler.services.services import Services
from scheduler.storage import keys


class Commands:
    """Calls commands and returns their output."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def __call__(self, *words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(cli, list(words), obj=self.services, input=typed)

    def done(self, *words: str, typed: str | None = None) -> str:
        """The output of a command, which must succeed."""
        result = self(*words, typed=typed)
        assert result.exit_code == 0, (
            f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        )
        return result.stdout

    def json(self, *words: str) -> Any:
        """The JSON output of a command, which must succeed."""
        return json.loads(self.done(*words, "--json"))

    def refused(self, *words: str) -> str:
        """The message of a command, which must be refused: on stderr, exit 1, nothing on stdout."""
        result = self(*words)
        assert result.exit_code == 1, (
            f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        )
        assert isinstance(result.exception, SystemExit), repr(result.exception)
        assert result.stdout == ""
        return result.stderr

    def refused_json(self, *words: str) -> dict[str, Any]:
        """The same with --json: one object on stderr."""
        body: dict[str, Any] = json.loads(self.refused(*words, "--json"))
        return body

    def misused(self, *words: str) -> str:
        """The message of a command, which must fail by its usage: exit 2."""
        result = self(*words)
        assert result.exit_code == 2, (
            f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        )
        assert result.stdout == ""
        return result.stderr

    def written(self) -> dict[str, Any]:
        """Everything that commands write: every entry, the scores of the schedules, the ticks that
        wait, the messages, the stream's length.
        """
        redis = self.services.redis
        entries = {
            key: redis.hgetall(key)
            for key in redis.scan_iter("redbeat:*")
            if redis.type(key) == "hash"
        }
        return {
            "entries": entries,
            "scores": redis.zrange(keys.SCHEDULE_ZSET, 0, -1, withscores=True),
            "waiting": {
                key: redis.zrange(key, 0, -1)
                for key in redis.scan_iter(f"{keys.WAITING_PREFIX}*", _type="zset")
            },
            "messages": {key: redis.llen(key) for key in redis.scan_iter(_type="list")},
            "events": redis.xlen(keys.EVENTS_STREAM),
        }
