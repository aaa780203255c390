"""Connections to Redis that wait for what is left of the caller's `waiting_time`, and no longer.

Written against redis-py 8.1: the pool makes its connections of `connection_class`, a connection
takes `timeout=` with each reply, and its time-outs are properties.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any

from redis import ConnectionPool
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as NoAnswer
from redis.retry import Retry

from scheduler.storage.waiting_time import WaitingTime, redis_time


def bound(pool: ConnectionPool, *, is_directory: bool = False) -> None:
    """Let a pool make connections that respect the caller's waiting time.

    `is_directory` is for Sentinels: there are several, so that the silence of one costs half of
    the time that is left, and the next is asked.
    """
    plain = pool.connection_class
    kind = _DirectoryConnection if is_directory else _BoundedConnection
    pool.connection_class = type(f"Bounded{plain.__name__}", (kind, plain), {})


class SentinelRetry(Retry):
    """Retries as redis-py's own for a single server; none where the caller has a waiting time."""

    def __init__(self) -> None:
        super().__init__(ExponentialWithJitterBackoff(base=0.01, cap=1), 10)

    def call_with_retry(self, do: Any, fail: Any, *options: Any, **more: Any) -> Any:
        """Return the result of `do`, tried again where nobody waits."""
        if redis_time() is None:
            return super().call_with_retry(do, fail, *options, **more)
        return do()


class _BoundedConnection:
    """In front of a class of redis-py's connections. Without a waiting time it changes nothing."""

    share = 1.0
    is_decisive = True

    def connect_check_health(self, *args: Any, **options: Any) -> None:
        """Connect, greet and log in. Raises redis-py's errors, TimeoutError among them."""
        time = redis_time()
        connection: Any = super()
        if time is None or self._this.is_connected:
            connection.connect_check_health(*args, **options)
            return
        seconds = self._next_wait(time)
        usual = self._this.socket_timeout, self._this.socket_connect_timeout
        self._this.socket_timeout = min(seconds, usual[0] or seconds)
        self._this.socket_connect_timeout = min(seconds, usual[1] or seconds)
        try:
            self._timed(time, lambda: connection.connect_check_health(*args, **options))
        finally:
            self._this.socket_timeout, self._this.socket_connect_timeout = usual
            self._this.update_current_socket_timeout(usual[0])

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send a command. Raises TimeoutError at once where no time is left."""
        time = redis_time()
        connection: Any = super()
        if time is None:
            connection.send_packed_command(command, check_health=check_health)
            return
        # A long command fills the buffers of a frozen server, and then waits like a question.
        self._this.update_current_socket_timeout(self._next_wait(time))
        try:
            self._timed(
                time, lambda: connection.send_packed_command(command, check_health=check_health)
            )
        finally:
            self._this.update_current_socket_timeout(self._this.socket_timeout)

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Return a reply. Raises TimeoutError where it has not come in time."""
        time = redis_time()
        connection: Any = super()
        if time is None or "timeout" in options:
            return connection.read_response(*args, **options)
        try:
            seconds = self._next_wait(time)
        except Exception:
            self._this.disconnect()  # the reply would be taken for that of the next command
            raise
        options["timeout"] = min(seconds, self._this.socket_timeout or seconds)
        return self._timed(time, lambda: connection.read_response(*args, **options), is_answer=True)

    @property
    def _this(self) -> Any:
        """This connection, as redis-py's."""
        return self

    def _next_wait(self, time: WaitingTime) -> float:
        """Return the seconds for the next question. Raises TimeoutError where none are left."""
        seconds = time.left * self.share
        if seconds <= 0:
            raise NoAnswer(
                f"no answer within {time.seconds:g} s, and no further question was asked"
            )
        return seconds

    def _timed(self, time: WaitingTime, act: Callable[[], Any], *, is_answer: bool = False) -> Any:
        """Return the result of `act`, and take its seconds from the waiting time."""
        begun, spent = monotonic(), time.spent
        try:
            result = act()
        except ResponseError:
            time.spend(_beyond(begun, spent, time), is_answered=is_answer)
            raise
        except NoAnswer:
            if self.is_decisive:
                time.give_up()
            else:
                time.spend(monotonic() - begun, is_answered=False)
            raise
        except BaseException:
            time.spend(_beyond(begun, spent, time), is_answered=False)
            raise
        time.spend(_beyond(begun, spent, time), is_answered=is_answer)
        return result


class _DirectoryConnection(_BoundedConnection):
    """A connection to one of several Sentinels."""

    share = 0.5
    is_decisive = False


def _beyond(begun: float, spent: float, time: WaitingTime) -> float:
    """Return the seconds since `begun` that the questions inside of this one have not taken."""
    return max(0.0, monotonic() - begun - (time.spent - spent))
