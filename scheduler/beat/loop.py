"""A Beat of ours, whole: candidate, leader, its passes, its sleep, and what it says of itself.
`tick` is one turn.

Whatever a server does, the loop goes on: a lost lock makes a stand-by of the leader, an error is
waited out.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from scheduler.beat import heartbeat, static_entries
from scheduler.beat.cancelling import Cancelling
from scheduler.beat.dispatch_loop import DispatchLoop, PassResult
from scheduler.beat.due_entries import DueEntryReader
from scheduler.beat.heartbeat import Heartbeat
from scheduler.beat.leader import Leader, LostLock
from scheduler.beat.planner import Planner
from scheduler.beat.quarantine_retry import EVERY as MEND_EVERY
from scheduler.beat.quarantine_retry import Mending
from scheduler.beat.script_pipeline import ScriptPipeline
from scheduler.beat.static_entries import StaticEntry
from scheduler.beat.transaction import Transaction
from scheduler.beat.wake import Wake
from scheduler.beat.watchdog import Watchdog
from scheduler.healing import startup_check
from scheduler.publishing import delivery_mode
from scheduler.publishing.calls import Way
from scheduler.publishing.kombu_commands import Renderer
from scheduler.publishing.outbox import (
    Backlog,
    GrowthWatch,
    OutboxRenderer,
    backlog,
)
from scheduler.publishing.relay import Relay
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

LONGEST_SLEEP = 1.0
"""Seconds after which Beat looks in any case: whoever writes past us wakes nobody."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
"""Seconds between two tries while a server is away."""

SAY_EVERY = 1.0
_SHORTEST = 0.01
_REPEAT_EVERY = 10.0


class Loop:
    """One Beat.

    `ttl` is how many seconds the lock outlives it, `sleep` how long it sleeps at most where nothing
    is due; `said` tells what the code says of static entries; `limit` bounds what events carry.
    """

    def __init__(
        self,
        app: Any,
        redis: "Redis",
        names: keys.Names,
        *,
        ttl: float,
        sleep: float,
        limit: int,
        said: Callable[[], Mapping[str, StaticEntry]],
        fast_path: bool = True,
    ) -> None:
        self._app, self._redis, self._names, self._said = app, redis, names, said
        self.leader = Leader(redis, names.lock, ttl)
        self._ttl, self._sleep = ttl, min(sleep, LONGEST_SLEEP)
        self._fast_path = fast_path
        self._planner = Planner(app, redis, self._renderer("atomic"), limit, fast_path=fast_path)
        self._relay: Relay | None = None
        self._growth, self._cancelling = GrowthWatch(), Cancelling(redis, app)
        line = ScriptPipeline(redis)
        self._rounds = DispatchLoop(
            line,
            DueEntryReader(line, self.leader, names),
            self._planner,
            Transaction(line, self.leader, names),
            self._cancelling.ask,
        )
        self._wake, self._mending, self._watchdog = Wake(redis), Mending(redis, names), Watchdog()
        self._way: Way | None = None
        self._has_begun = self._is_vouched = False
        self._done: PassResult | None = None
        self._said_at = self._mended_at = -1e9
        self._pause, self._problem, self._problem_at = 0.0, "", 0.0

    def tick(self) -> float:
        """One turn, which lasts about a second at most. In how many seconds the next one should
        begin.
        """
        try:
            self._turn()
        except LostLock:
            self._stand_by_again("another Beat has the lock, or nobody has")
        except (RedisError, KombuError, OSError) as error:
            return self._wait_out(error)
        self._pause = 0.0
        if self._problem:
            log.warning("beat: goes on")
            self._problem = ""
        return 0.0

    def close(self) -> None:
        """Leave in order, so that another may begin at once."""
        self._watchdog.stopping()
        led = self.leader.token is not None
        try:
            self.leader.leave()
            heartbeat.leave(self._redis, self.leader.identity)
        except (RedisError, OSError) as error:
            log.warning(
                "beat: could not give back its lock, which ends by itself in %g s: %s",
                self._ttl,
                error,
            )
        if led:
            log.info("beat: Releasing lock")
        self._stop_relay()

    def _turn(self) -> None:
        self._wake.listen()
        if self.leader.token is None and not self._leads_now():
            return
        if not self._has_begun:
            self._begin()
        self._check_vouched()
        done = self._rounds.run()
        self._done, now = done, done.first.now
        if time.monotonic() - self._mended_at >= MEND_EVERY:
            self._mending.look(now)
            self._mended_at = time.monotonic()
        self._say(now)
        self._wake.wait(min(done.wait, self._sleep))

    def _leads_now(self) -> bool:
        """Try to lead, or wait a while for the lock."""
        wait = self.leader.try_to_lead()
        if wait > 0:
            self._say(_time_of(self._redis))
            self._wake.wait(min(max(wait, _SHORTEST), self._sleep))
            return False
        self._has_begun = False
        log.info("beat: Acquired lock, epoch %d", self.leader.epoch)
        return True

    def _begin(self) -> None:
        """What a new leader does before its first look; done again where a server went away
        meanwhile.
        """
        now = _time_of(self._redis)
        self._choose_way()
        static_entries.set_up(self._redis, self.leader, self._names, self._said(), now)
        self._check_vouched()
        self._mending.retry_all(now)
        heartbeat.forget_old(self._redis, now)
        self._said_at = -1e9
        self._has_begun = True

    def _choose_way(self) -> None:
        self._stop_relay()
        self._planner.renderer.reset()
        self._way = delivery_mode.choose(self._app, self._redis, self._ttl / 3)
        log.info("beat: leads; messages take the way %r to their queues", self._way)
        self._planner.renderer = self._renderer(self._way)
        if (
            self._way == "outbox" or backlog(self._redis).entries
        ):  # what waits since the broker was another one, too
            self._relay = Relay(self._app, self._redis, self._names.lock, self.leader.token or "")
            self._relay.start()

    def _renderer(self, way: Way) -> Renderer | OutboxRenderer:
        if way == "atomic":
            return Renderer(self._app, templates=self._fast_path)
        return OutboxRenderer(self._app)

    def _stop_relay(self) -> None:
        relay, self._relay = self._relay, None
        if relay is not None:
            relay.stop()

    def _check_vouched(self) -> None:
        """In each life of the server once: let a recorder say whether Redis remembers what was
        fired.
        """
        if self._is_vouched:
            return
        server: Any = self._redis.info("server")
        life = str(server["run_id"])
        if self._redis.get(keys.BEAT_VOUCHED) != life:
            startup_check.wait_until_checked(self._redis, min(startup_check.LONGEST, self._ttl / 2))
            self._redis.set(keys.BEAT_VOUCHED, life)
        self._is_vouched = True

    def _say(self, now: datetime, hindered: str = "") -> None:
        """Tell Redis and systemd how this Beat is, and what keeps it from sending."""
        if time.monotonic() - self._said_at < SAY_EVERY:
            return
        self._said_at = time.monotonic()
        waiting, why = self._outbox()
        host, pid, _ = self.leader.identity.rsplit(":", 2)
        pulse = Heartbeat(
            name=self.leader.identity,
            at=now,
            host=host,
            pid=int(pid),
            leads=self.leader.token is not None,
            epoch=self.leader.epoch,
            way=self._way,
            lag=0.0 if self._done is None else self._done.lag,
            due=0 if self._done is None else self._done.stayed,
            sent=self._rounds.sent,
            waiting=waiting.entries,
            waiting_seconds=waiting.seconds,
            hindered=hindered or why,
        )
        heartbeat.say(self._redis, pulse)
        self._watchdog.alive(f"leads, epoch {pulse.epoch}" if pulse.leads else "stands by")

    def _outbox(self) -> tuple[Backlog, str]:
        """What waits in the outbox that this Beat publishes, and why; a warning where that
        grows.
        """
        if self._relay is None:
            return Backlog(), ""
        waiting, why = backlog(self._redis), self._relay.problem
        if self._growth.is_news(waiting):
            reason = why or "more is put in than the broker takes"
            log.warning(
                "beat: %d runs wait in the outbox, the first for %.0f s: %s", *waiting, reason
            )
        return waiting, why

    def _stand_by_again(self, why: str) -> None:
        log.warning("beat: leads no more, stands by: %s", why)
        self._done = None
        self.leader.step_down()
        self._stop_relay()
        self._is_vouched = False

    def _wait_out(self, error: Exception) -> float:
        """A server is away, or takes nothing: how long to wait before the next try."""
        self._wake.forget()
        self._redis.connection_pool.disconnect()
        self._planner.renderer.reset()
        self._is_vouched = False
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        text = f"{type(error).__name__}: {error}"
        if text != self._problem or time.monotonic() - self._problem_at > _REPEAT_EVERY:
            log.error("beat: waits and tries again: %s", text)
            self._problem, self._problem_at = text, time.monotonic()
        self._watchdog.alive(f"waits: {text[:200]}")
        if isinstance(error, KombuError):  # the broker's: Redis itself can be told how this Beat is
            self._say_hindered(text)
        return self._pause

    def _say_hindered(self, why: str) -> None:
        try:
            self._say(_time_of(self._redis), why)
        except (RedisError, OSError) as error:
            log.debug("beat: could not say that it waits: %r", error)


class _Clock(Protocol):
    def time(self) -> Any: ...


def _time_of(redis: _Clock) -> datetime:
    """The server's clock."""
    seconds, micros = redis.time()
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros))
