"""Beat asks, before its first tick, whether Redis remembers what was fired; a recorder answers from
the history.

A Redis that was set back to an older copy has forgotten the last ticks, and Beat would fire them
again at once. A Beat that leads holds no lock in such a Redis, so that it ends and starts again:
here. Where no recorder is known or none answers in time, Beat goes on, because late history must
not stop schedules.
"""

import logging
import threading
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from redis.exceptions import RedisError

from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

LONGEST = 5.0
"""Seconds that Beat waits for an answer, and never longer than half of its lock lives."""

ANSWER_EVERY = 0.25
"""Seconds between two looks at whether Beat asks, where nobody heals."""

_POLL = 0.05
_KEPT = 60


def hold_first_tick(scheduler: Any, redis: "Redis") -> None:
    """Let the scheduler wait for an answer before its first tick, which comes when it leads."""
    tick = scheduler.tick

    def first_tick(*args: Any, **kwargs: Any) -> Any:
        scheduler.tick = tick
        wait_until_checked(redis, min(LONGEST, scheduler.lock_timeout / 2))
        return tick(*args, **kwargs)

    scheduler.tick = first_tick


def wait_until_checked(redis: "Redis", patience: float) -> bool:
    """Ask, and wait. False where nobody has answered."""
    if not redis.exists(keys.RECORDERS_HASH):
        return False
    question = str(uuid4())
    redis.set(keys.CHECK_QUESTION, question, ex=_KEPT)
    waiting = threading.Event()
    for _ in range(int(patience / _POLL)):
        if redis.get(keys.CHECK_ANSWER) == question:
            return True
        waiting.wait(_POLL)
    log.warning(
        "beat: no recorder has said within %.1f s that Redis is as it was; going on", patience
    )
    return False


def asked(redis: "Redis") -> str | None:
    """The question that nobody has answered yet."""
    question, answered = cast(
        "list[str | None]", redis.mget(keys.CHECK_QUESTION, keys.CHECK_ANSWER)
    )
    return None if question == answered else question


def answer(redis: "Redis", question: str) -> None:
    """Redis is as it was: Beat may go on."""
    redis.set(keys.CHECK_ANSWER, question, ex=_KEPT)


def answer_unseen(redis: "Redis", stop: threading.Event) -> None:
    """Where healing is off nobody compares, so that Beat is told to go on whenever it asks, until
    `stop` is set.
    """
    problem = None
    while not stop.wait(ANSWER_EVERY):
        try:
            question = asked(redis)
            if question is not None:
                answer(redis, question)
            problem = None
        except RedisError as error:
            if problem != str(error):
                log.warning("Beat's question cannot be read: %s", error)
            problem = str(error)
