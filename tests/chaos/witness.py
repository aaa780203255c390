"""Takes messages and events away as they come, and records them. Loses and doubles nothing itself.

Each step can be repeated: a batch of messages is renamed under a number of its own, read, recorded,
then deleted; events are read from the last recorded event, then trimmed. The witness also plays the
worker for runs of `finishing` schedules, so that waiting ticks have an end to wait for.
"""

import json
import logging
from collections.abc import Collection
from threading import Event, Thread
from typing import Any

from redis.exceptions import RedisError

from scheduler.clock import utc_now
from scheduler.events.schema import (
    FIELD,
    RunQueued,
    TicksMissed,
    TicksSkipped,
    UndecodableEvent,
    decode,
)
from scheduler.runs.headers import Message
from scheduler.services.services import Services
from scheduler.storage import keys
from scheduler.worker.event_buffer import EventBuffer
from scheduler.worker.reporter import Reporter
from tests.chaos.checker import Account, Verdict

log = logging.getLogger(__name__)

QUEUE = "chaos"
EVERY = 0.2
MOST = 5000

_TAKE = """
if redis.call('TYPE', KEYS[1]).ok == 'list' and redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('RENAME', KEYS[1], KEYS[2])
end
return redis.call('LRANGE', KEYS[2], 0, -1)
"""


class Witness(Thread):
    """A thread with a client of its own."""

    def __init__(self, services: Services, account: Account, finishing: Collection[str]) -> None:
        super().__init__(daemon=True)
        self._services, self._account, self._finishing = services, account, finishing
        self._redis: Any = services.redis
        self._reporter = Reporter(EventBuffer(services.events), 1000)
        self._batch, self._is_remembered, self._last = 1, False, "0-0"
        self._over = Event()

    def run(self) -> None:
        """Until `finish`."""
        while not self._over.wait(EVERY):
            self.look()

    def finish(self) -> None:
        """End the thread, and take what is left."""
        self._over.set()
        self.join()
        while self.look():
            pass

    def look(self) -> int:
        """One pass; returns the number of new messages and events. An unreachable server is asked
        again in the next pass.
        """
        try:
            return self._take_messages() + self._read_events()
        except RedisError as error:
            log.debug("the witness waits: %s", error)
            return 0

    def _take_messages(self) -> int:
        key = f"{QUEUE}:taken:{self._batch}"
        found = []
        if not self._is_remembered:
            found = self._redis.eval(_TAKE, 2, QUEUE, key)
            messages = [json.loads(text) for text in found]
            self._account.messages.update(message["headers"]["id"] for message in messages)
            self._is_remembered = True
            self._finish_runs(messages)
        self._redis.delete(key)
        self._batch, self._is_remembered = self._batch + 1, False
        return len(found)

    def _finish_runs(self, messages: list[Any]) -> None:
        """Be the worker of some."""
        for message in messages:
            headers = message["headers"]
            if (headers.get("beatdesk") or {}).get("schedule_uid") not in self._finishing:
                continue
            self._reporter.received(
                Message(headers, (), {}, QUEUE), worker="chaos@here", now=utc_now()
            )
            self._reporter.succeeded(
                headers["id"], 0, worker="chaos@here", result=None, runtime=0.0, now=utc_now()
            )

    def _read_events(self) -> int:
        found = self._redis.xrange(keys.EVENTS_STREAM, f"({self._last}", "+", count=MOST)
        for place, fields in found:
            self._remember(fields)
            self._last = place
        if found:
            self._redis.xtrim(keys.EVENTS_STREAM, minid=self._last, approximate=False)
        return len(found)

    def _remember(self, fields: dict[str, str]) -> None:
        """What the checker needs of an event."""
        if not any(word in fields[FIELD] for word in ('"run.queued"', '"ticks.')):
            return
        try:
            event = decode(fields)
        except UndecodableEvent as error:
            self._account.died.append(f"an event cannot be read: {error}")
            return
        if (
            isinstance(event, RunQueued)
            and event.facts.tick is not None
            and event.facts.schedule_uid
        ):
            tick = event.facts.tick
            self._account.verdicts.append(
                Verdict(event.facts.schedule_uid, tick, tick, 1, "queued", event.run)
            )
        elif isinstance(event, TicksMissed | TicksSkipped):
            verdict_text = f"{event.kind}: {event.reason}"
            self._account.verdicts.append(
                Verdict(
                    event.schedule_uid, event.tick_from, event.tick_to, event.ticks, verdict_text
                )
            )
