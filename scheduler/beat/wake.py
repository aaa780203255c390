"""Beat's sleep: until something is due, or a message on the wake channel tells of a change."""

import logging
import threading
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import PubSub

log = logging.getLogger(__name__)

_MOST_MESSAGES = 1000


class Wake:
    """The subscription to the wake channel."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._channel: PubSub | None = None
        self._never = threading.Event()

    def listen(self) -> None:
        """Subscribe, unless subscribed. Called before due entries are read, so no message between
        the read and the sleep is lost. Raises redis.RedisError.
        """
        if self._channel is None:
            channel = self._redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            try:
                channel.subscribe(keys.WAKE_CHANNEL)
            except BaseException:
                channel.close()
                raise
            self._channel = channel

    def wait(self, seconds: float) -> None:
        """Sleep until a message comes, for `seconds` at most; several messages count as one."""
        if seconds <= 0:
            return
        if self._channel is None:
            self._never.wait(seconds)
            return
        self._channel.get_message(timeout=seconds)
        for _ in range(_MOST_MESSAGES):
            if self._channel.get_message(timeout=0) is None:
                break

    def forget(self) -> None:
        """Drop the subscription, whose connection is broken; `listen` makes another."""
        channel, self._channel = self._channel, None
        if channel is not None:
            try:
                channel.close()
            except (RedisError, OSError) as error:
                log.debug("beat: the wake channel did not close in order: %s", error)
