"""Beat's sleep, which ends when something is due, or when somebody says on the wake channel that
something changed.
"""

import logging
import threading
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import PubSub

log = logging.getLogger(__name__)

_MOST = 1000


class Wake:
    """The subscription. Where there is none, sleep is shorter, and the next look tries again."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._channel: PubSub | None = None
        self._never = threading.Event()

    def listen(self) -> None:
        """Subscribe, if that is not done: before the look, so that no word is lost between it and
        the sleep.
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
        """Sleep until then at the latest. All that was said meanwhile counts as one word."""
        if seconds <= 0:
            return
        if self._channel is None:
            self._never.wait(seconds)
            return
        self._channel.get_message(timeout=seconds)
        for _ in range(_MOST):
            if self._channel.get_message(timeout=0) is None:
                break

    def forget(self) -> None:
        """The connection is broken."""
        channel, self._channel = self._channel, None
        if channel is not None:
            try:
                channel.close()
            except (RedisError, OSError) as error:
                log.debug("beat: the wake channel did not close in order: %s", error)
