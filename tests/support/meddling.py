"""Another client's deed between a decision and its script, and an answer that is lost on the
way.
"""

from collections.abc import Callable
from typing import Any

from redis import Redis


class Once:
    """A deed that is done at the first call only."""

    def __init__(self, deed: Callable[[], object]) -> None:
        self._deeds = [deed]

    def __call__(self) -> None:
        if self._deeds:
            self._deeds.pop()()


class RunsScriptsTwice(Redis):
    """A client that runs each script twice, as after a connection that broke before the answer."""

    def evalsha(self, *args: Any, **options: Any) -> Any:
        super().evalsha(*args, **options)
        return super().evalsha(*args, **options)


def runs_scripts_twice(url: str) -> RunsScriptsTwice:
    """A `RunsScriptsTwice` for the server at `url`; answers are text."""
    client: RunsScriptsTwice = RunsScriptsTwice.from_url(url, decode_responses=True)
    return client
