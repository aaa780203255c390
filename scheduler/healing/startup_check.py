"""Check before Beat's first tick that Redis still remembers the latest ticks.

A Redis restored from an older copy has forgotten the latest ticks, and Beat would fire the ticks
again at once. Such a Redis holds no lock of the leading Beat, so that Beat exits, starts again, and
asks here. A recorder compares Redis with the history and answers. Where no recorder is registered,
or none answers in time, Beat goes on: late history must not stop schedules.
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
"""The most seconds that Beat waits for an answer; half the lifetime of Beat's lock, if shorter."""

ANSWER_EVERY = 0.25
"""Seconds between two reads of Beat's question, where healing is off."""

_POLL = 0.05
_KEPT = 60


def hold_first_tick(scheduler: Any, redis: "Redis") -> None:
    """Make the scheduler wait for an answer before the first tick, after Beat takes the lead."""
    tick = scheduler.tick

    def first_tick(*args: Any, **kwargs: Any) -> Any:
        scheduler.tick = tick
        wait_until_checked(redis, min(LONGEST, scheduler.lock_timeout / 2))
        return tick(*args, **kwargs)

    scheduler.tick = first_tick


def wait_until_checked(redis: "Redis", patience: float) -> bool:
    """Ask, and wait up to `patience` seconds. False without a recorder or an answer in time.

    Raises redis.RedisError.
    """
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


def open_question(redis: "Redis") -> str | None:
    """Return the open question; None without a question. Raises redis.RedisError."""
    question, answered = cast(
        "list[str | None]", redis.mget(keys.CHECK_QUESTION, keys.CHECK_ANSWER)
    )
    return None if question == answered else question


def answer(redis: "Redis", question: str) -> None:
    """Answer that Redis is in order, so that Beat goes on. Raises redis.RedisError."""
    redis.set(keys.CHECK_ANSWER, question, ex=_KEPT)


def answer_unseen(redis: "Redis", stop: threading.Event) -> None:
    """Answer each question at once until `stop` is set, where healing is off and nobody compares.

    Survives errors of Redis, and logs each error once.
    """
    problem = None
    while not stop.wait(ANSWER_EVERY):
        try:
            question = open_question(redis)
            if question is not None:
                answer(redis, question)
            problem = None
        except RedisError as error:
            if problem != str(error):
                log.warning("Beat's question cannot be read: %s", error)
            problem = str(error)
