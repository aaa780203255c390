"""One Beat: candidate, leader, passes, sleep and heartbeat. `tick` is a turn.

    tick ─▶ leads? ──no──▶ try to lead; sleep until the lock may be free, or the leader leaves
              │yes
              ▼
            a pass over the due entries (`dispatch_loop`)
              │
              ▼
            sleep until the next due time, a wake message, or the longest sleep is over

The loop survives every failure of a server: after a lost lock the leader stands by, after an error
Beat waits and tries again.
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
from scheduler.beat.quarantine_retry import EVERY as RETRY_EVERY
from scheduler.beat.quarantine_retry import QuarantineRetry
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
    BacklogWarnings,
    OutboxRenderer,
    backlog,
)
from scheduler.publishing.relay import Relay
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

LONGEST_SLEEP = 1.0
"""Seconds after which Beat reads due entries in any case: other programs write without a wake
message.
"""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
"""Seconds between two tries while a server is away."""

HEARTBEAT_EVERY = 1.0
_SHORTEST_WAIT = 0.01
_LOG_AGAIN_AFTER = 10.0


class Loop:
    """One Beat.

    `ttl` is the life of the lock after its last renewal, and `sleep` the longest sleep with nothing
    due, both in seconds; `static_entries` returns the entries of the code; `limit` is the most
    bytes of arguments in an event.
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
        static_entries: Callable[[], Mapping[str, StaticEntry]],
        fast_path: bool = True,
    ) -> None:
        self._app = app
        self._redis = redis
        self._names = names
        self._static_entries = static_entries
        self.leader = Leader(redis, names.lock, ttl)
        self._ttl = ttl
        self._sleep = min(sleep, LONGEST_SLEEP)
        self._fast_path = fast_path
        self._planner = Planner(app, redis, self._renderer("atomic"), limit, fast_path=fast_path)
        self._relay: Relay | None = None
        self._backlog_warnings = BacklogWarnings()
        self._cancelling = Cancelling(redis, app)
        pipeline = ScriptPipeline(redis)
        self._dispatch_loop = DispatchLoop(
            pipeline,
            DueEntryReader(pipeline, self.leader, names),
            self._planner,
            Transaction(pipeline, self.leader, names),
            self._cancelling.cancel,
        )
        self._wake = Wake(redis)
        self._quarantine = QuarantineRetry(redis, names)
        self._watchdog = Watchdog()
        self._delivery_mode: Way | None = None
        self._has_begun = False
        self._is_checked = False
        self._last_pass: PassResult | None = None
        self._heartbeat_at = -1e9
        self._retried_at = -1e9
        self._pause = 0.0
        self._problem = ""
        self._problem_at = 0.0

    def tick(self) -> float:
        """Run a turn, of about a second at most. Returns the seconds until the next turn."""
        try:
            self._turn()
        except LostLock:
            self._stand_by("another Beat has the lock, or nobody has")
        except (RedisError, KombuError, OSError) as error:
            return self._wait_out(error)
        self._pause = 0.0
        if self._problem:
            log.warning("beat: goes on")
            self._problem = ""
        return 0.0

    def close(self) -> None:
        """Release the lock and remove the heartbeat, so another Beat may lead at once."""
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
        if self.leader.token is None and not self._acquire_or_wait():
            return
        if not self._has_begun:
            self._begin()
        self._wait_for_startup_check()
        result = self._dispatch_loop.run()
        self._last_pass = result
        now = result.first.now
        if time.monotonic() - self._retried_at >= RETRY_EVERY:
            self._quarantine.retry_changed(now)
            self._retried_at = time.monotonic()
        self._write_heartbeat(now)
        self._wake.wait(min(result.wait, self._sleep))

    def _acquire_or_wait(self) -> bool:
        """Try to lead, or else wait for the lock. Returns whether this Beat leads now."""
        wait = self.leader.try_to_lead()
        if wait > 0:
            self._write_heartbeat(_time_of(self._redis))
            self._wake.wait(min(max(wait, _SHORTEST_WAIT), self._sleep))
            return False
        self._has_begun = False
        log.info("beat: Acquired lock, epoch %d", self.leader.epoch)
        return True

    def _begin(self) -> None:
        """Prepare a leadership for its first pass; repeated after an outage meanwhile."""
        now = _time_of(self._redis)
        self._choose_delivery_mode()
        entries = self._static_entries()
        static_entries.set_up(self._redis, self.leader, self._names, entries, now)
        self._wait_for_startup_check()
        self._quarantine.retry_all(now)
        heartbeat.forget_old(self._redis, now)
        self._heartbeat_at = -1e9
        self._has_begun = True

    def _choose_delivery_mode(self) -> None:
        self._stop_relay()
        self._planner.renderer.reset()
        mode = delivery_mode.choose(self._app, self._redis, self._ttl / 3)
        self._delivery_mode = mode
        log.info("beat: leads; delivery mode %r", mode)
        self._planner.renderer = self._renderer(mode)
        # The outbox may hold runs from when the broker was another one.
        if mode == "outbox" or backlog(self._redis).entries:
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

    def _wait_for_startup_check(self) -> None:
        """Once in each life of the server, wait for a recorder to compare Redis with history."""
        if self._is_checked:
            return
        server: Any = self._redis.info("server")
        life = str(server["run_id"])
        if self._redis.get(keys.BEAT_VOUCHED) != life:
            startup_check.wait_until_checked(self._redis, min(startup_check.LONGEST, self._ttl / 2))
            self._redis.set(keys.BEAT_VOUCHED, life)
        self._is_checked = True

    def _write_heartbeat(self, now: datetime, blocked_by: str = "") -> None:
        """Write the state of this Beat for Redis and systemd, once a second at most."""
        if time.monotonic() - self._heartbeat_at < HEARTBEAT_EVERY:
            return
        self._heartbeat_at = time.monotonic()
        waiting, problem = self._check_outbox()
        last = self._last_pass
        host, pid, _ = self.leader.identity.rsplit(":", 2)
        beat = Heartbeat(
            name=self.leader.identity,
            at=now,
            host=host,
            pid=int(pid),
            leads=self.leader.token is not None,
            epoch=self.leader.epoch,
            delivery_mode=self._delivery_mode,
            lag=0.0 if last is None else last.lag,
            due=0 if last is None else last.stayed,
            sent=self._dispatch_loop.sent,
            waiting=waiting.entries,
            waiting_seconds=waiting.seconds,
            blocked_by=blocked_by or problem,
        )
        heartbeat.write(self._redis, beat)
        self._watchdog.alive(f"leads, epoch {beat.epoch}" if beat.leads else "stands by")

    def _check_outbox(self) -> tuple[Backlog, str]:
        """The backlog of this Beat's outbox, and the reason why nothing is published, empty without
        one. Logs a warning for a growing backlog.
        """
        if self._relay is None:
            return Backlog(), ""
        waiting = backlog(self._redis)
        problem = self._relay.problem
        if self._backlog_warnings.record(waiting):
            reason = problem or "runs come faster than the broker takes them"
            log.warning(
                "beat: %d runs wait in the outbox, the first for %.0f s: %s", *waiting, reason
            )
        return waiting, problem

    def _stand_by(self, reason: str) -> None:
        """Record the loss of the lock."""
        log.warning("beat: leads no more, stands by: %s", reason)
        self._last_pass = None
        self.leader.step_down()
        self._stop_relay()
        self._is_checked = False

    def _wait_out(self, error: Exception) -> float:
        """Drop connections after an error of a server. Returns the seconds until the next try."""
        self._wake.forget()
        self._redis.connection_pool.disconnect()
        self._planner.renderer.reset()
        self._is_checked = False
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        text = f"{type(error).__name__}: {error}"
        if text != self._problem or time.monotonic() - self._problem_at > _LOG_AGAIN_AFTER:
            log.error("beat: waits and tries again: %s", text)
            self._problem = text
            self._problem_at = time.monotonic()
        self._watchdog.alive(f"waits: {text[:200]}")
        if isinstance(error, KombuError):  # the broker is away, and Redis is there
            self._write_blocked(text)
        return self._pause

    def _write_blocked(self, reason: str) -> None:
        """Write a heartbeat with the reason why this Beat waits."""
        try:
            self._write_heartbeat(_time_of(self._redis), reason)
        except (RedisError, OSError) as error:
            log.debug("beat: could not write that it waits: %r", error)


class _Clock(Protocol):
    def time(self) -> Any: ...


def _time_of(redis: _Clock) -> datetime:
    """The time by the server's clock."""
    seconds, micros = redis.time()
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros))
