"""How stock Beat (`celery -A scheduler beat -S redbeat.RedBeatScheduler`) reads and advances our schedules.

`install` gives a running scheduler our class of entries, and with it:

- ticks come from `rules.ticks`, in the schedule's own zone; the tick's nominal time becomes `last_run_at`, so that
  nothing drifts, and the message carries it, with a run id that follows from schedule and tick;
- an entry is advanced by a script that first compares what was read, so that an edit or a deletion that happens
  meanwhile stands, and two Beats never send one tick twice;
- an entry that cannot be loaded is set aside (score -1) and costs only itself, where stock ends or drops it;
- ticks that passed while no Beat ran are told to the history, in the same transaction.

What only RedBeat computes (rrule, rounded intervals) it still computes. Must not publish anything itself.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Self

from redbeat.schedulers import RedBeatScheduler, RedBeatSchedulerEntry, get_redis

from scheduler import keys
from scheduler.errors import BeatdeskError, UnreadableEntry
from scheduler.events.schema import FIELD, TicksMissed, encode
from scheduler.rules.identity import run_id, tick_text
from scheduler.rules.spec import RedBeatWhen
from scheduler.rules.ticks import count_ticks, latest_tick, next_tick
from scheduler.schedules import codec
from scheduler.schedules.changes import ASLEEP
from scheduler.schedules.codec import Entry, Meta, Raw

log = logging.getLogger(__name__)

HEADER = "beatdesk"
TICK_HEADER = "tick"

MOST_MISSED = 1_000_000
"""Where counting missed ticks ends; a per-minute schedule reaches it after two years."""

_SCRIPT = files(__package__).joinpath("advance.lua").read_text(encoding="utf-8")
_MICROSECOND = timedelta(microseconds=1)
_OURS = ("entry", "raw", "stored_score")


class EntryMovedOn(BeatdeskError):
    """The entry was changed, deleted or advanced by somebody else while it became due."""


def install(scheduler: Any) -> None:
    """Let a running RedBeatScheduler read our entries. Any other scheduler is left alone, with a warning."""
    if not isinstance(scheduler, RedBeatScheduler):
        log.warning(
            "Beat runs %s, which does not read the schedules in Redis; start it with -S redbeat.RedBeatScheduler",
            type(scheduler).__name__,
        )
        return
    scheduler.Entry = BeatEntry


class BeatEntry(RedBeatSchedulerEntry):  # type: ignore[misc] # redbeat has no types
    """An entry as Beat holds it for one look: loaded from Redis, asked whether it is due, advanced, thrown away."""

    entry: Entry | None = None
    """What was read; none for an entry that cannot run."""

    raw: Raw = Raw(None, None, None)
    stored_score: float | None = None

    @classmethod
    def from_key(cls, key: str, app: Any = None) -> Self:
        """Load an entry. Raises KeyError only where there is none, which makes RedBeat drop it from its set."""
        name = keys.schedule_name(key)
        with get_redis(app).pipeline(transaction=False) as pipe:
            stored = _as_read(key)
            pipe.hmget(stored, keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD)
            pipe.sismember(keys.STATICS_SET, _as_read(name))
            pipe.zscore(keys.SCHEDULE_ZSET, stored)
            try:
                fields, static, score = pipe.execute(raise_on_error=False)
            except UnicodeDecodeError as error:
                return cls._unreadable(name, app, Raw(None, None, None), f"it is no text: {error}")
        if isinstance(fields, Exception):
            return cls._unreadable(name, app, Raw(None, None, None), f"the key is no hash: {fields}")
        raw = Raw(*fields)
        if raw.definition is None and raw.extra is None:
            raise KeyError(key)
        try:
            loaded = cls._load(codec.decode(name, raw, static=bool(static)), raw, app)
        except UnreadableEntry as error:
            return cls._unreadable(name, app, raw, str(error))
        except Exception as error:  # noqa: BLE001 - whatever Celery makes of it, one entry must not end Beat
            return cls._unreadable(name, app, raw, f"Celery cannot load it: {type(error).__name__}: {error}")
        loaded.stored_score = score
        return loaded

    @property
    def due_at(self) -> datetime | None:
        """When the entry is due next; now where that has passed."""
        now: datetime = self._default_now()
        if self.entry is None:
            return None
        if isinstance(self.entry.schedule.when, RedBeatWhen) or self.last_run_at is None:
            due: datetime | None = super().due_at
            return due
        tick = self._next_tick()
        return None if tick is None else max(tick, now)

    def is_due(self) -> tuple[bool, float | None]:
        """Whether to send it now, and in how many seconds to look again."""
        entry = self.entry
        if entry is None:
            return False, None
        if not entry.schedule.enabled:
            self._rescore(ASLEEP)
            return False, None
        if isinstance(entry.schedule.when, RedBeatWhen):
            return self._is_due_by_redbeat()
        if entry.meta.last_run_at is None:
            return True, None
        return self._is_due_by_ticks(self._default_now())

    def _next_instance(self, last_run_at: datetime | None = None, only_update_last_run_at: bool = False) -> "BeatEntry":
        """Advance past the tick that is due, and return the copy that is sent for it. Raises EntryMovedOn."""
        entry = self.entry
        if entry is None:
            raise EntryMovedOn(f"{self.name!r} cannot be run")
        now: datetime = last_run_at or self._default_now()
        tick = self._due_tick(now)
        count = (entry.meta.total_run_count or 0) + (0 if only_update_last_run_at else 1)
        meta = Meta(tick, count)
        missed = self._missed_before(tick, now)
        if not self._advance(codec.encode_meta(meta), self._score_after(tick), missed):
            raise EntryMovedOn(f"{self.name!r} was changed while it became due; Beat looks at it again")
        return self._sent_for(tick, meta)

    __next__ = next = _next_instance

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """The parts that Celery knows, for whoever copies an entry Celery's way."""
        return ((name, value) for name, value in vars(self).items() if name not in _OURS)

    @classmethod
    def _load(cls, entry: Entry, raw: Raw, app: Any) -> Self:
        """Make a good entry, the way RedBeat does."""
        definition = cls.decode_definition(raw.definition)
        definition.update(cls.decode_meta(raw.meta))
        loaded = cls(app=app, **definition)
        loaded.last_run_at = entry.meta.last_run_at
        loaded.enabled = entry.schedule.enabled
        loaded.entry = entry
        loaded.raw = raw
        return loaded

    @classmethod
    def _unreadable(cls, name: str, app: Any, raw: Raw, why: str) -> Self:
        """Set an entry aside, and return one in its place that is never due."""
        harmless = cls(name=name, task="", enabled=False, app=app)
        harmless.raw = raw
        log.error("beat: the schedule %r cannot run and is set aside until it is mended: %s", name, why)
        if raw == Raw(None, None, None):
            get_redis(app).zadd(keys.SCHEDULE_ZSET, {_as_read(keys.entry(name)): ASLEEP}, xx=True)
        else:
            harmless._advance(None, ASLEEP, None)
        return harmless

    @property
    def _when(self) -> Any:
        """The schedule's `when`, with an anchor."""
        if self.entry is None:
            raise UnreadableEntry(f"{self.name!r} cannot be run")
        return codec.anchored(self.entry.schedule.when, self.entry.meta)

    def _next_tick(self) -> datetime | None:
        """The first tick after the last that was sent."""
        if self.entry is None or self.entry.meta.last_run_at is None:
            return None
        return next_tick(self._when, self.entry.meta.last_run_at)

    def _due_tick(self, now: datetime) -> datetime:
        """The newest tick that is due: the earlier ones that nobody sent run as this one."""
        last = self.entry.meta.last_run_at if self.entry is not None else None
        if last is None or isinstance(self._when, RedBeatWhen):
            return now.replace(microsecond=0) if last is None else now
        return latest_tick(self._when, last, now) or now

    def _missed_before(self, tick: datetime, now: datetime) -> TicksMissed | None:
        """The ticks since the last run that `tick` stands for, as one fact."""
        entry = self.entry
        if entry is None or entry.meta.last_run_at is None or isinstance(entry.schedule.when, RedBeatWhen):
            return None
        first = next_tick(self._when, entry.meta.last_run_at)
        if first is None or first >= tick:
            return None
        before = tick - _MICROSECOND
        schedule = entry.schedule
        return TicksMissed(
            at=now,
            schedule=schedule.name,
            schedule_uid=schedule.uid,
            revision=schedule.revision,
            job=schedule.job,
            reason="coalesced",
            tick_from=first,
            tick_to=latest_tick(self._when, entry.meta.last_run_at, before) or first,
            ticks=max(count_ticks(self._when, entry.meta.last_run_at, before, MOST_MISSED), 1),
        )

    def _score_after(self, tick: datetime) -> float:
        """When to look at the entry again once `tick` is sent."""
        if self.entry is None:
            return ASLEEP
        if isinstance(self.entry.schedule.when, RedBeatWhen):
            return self._redbeat_score_after(tick)
        when = codec.anchored(self.entry.schedule.when, Meta(self.entry.meta.last_run_at or tick))
        following = next_tick(when, tick)
        return ASLEEP if following is None else following.timestamp()

    def _redbeat_score_after(self, moment: datetime) -> float:
        """RedBeat's own answer for what only RedBeat computes."""
        remaining = self.schedule.remaining_estimate(moment)
        return ASLEEP if remaining is None else (self._default_now() + remaining).timestamp()

    def _is_due_by_ticks(self, now: datetime) -> tuple[bool, float | None]:
        """Due from the very moment of its tick."""
        tick = self._next_tick()
        if tick is not None and tick <= now:
            following = next_tick(self._when, now)
            return True, None if following is None else (following - now).total_seconds()
        self._rescore(ASLEEP if tick is None else tick.timestamp())
        return False, None if tick is None else (tick - now).total_seconds()

    def _is_due_by_redbeat(self) -> tuple[bool, float | None]:
        """RedBeat's own answer; if it has none, the entry is set aside."""
        try:
            due, wait = super().is_due()
        except Exception as error:  # noqa: BLE001 - one entry must not end Beat
            log.error("beat: %r cannot tell when it is due and is set aside: %s", self.name, error)
            self._rescore(ASLEEP)
            return False, None
        now = self._default_now().timestamp()
        if not due and (self.stored_score or 0) <= now:
            self._rescore(ASLEEP if wait is None else now + wait)
        return bool(due), wait

    def _rescore(self, score: float) -> None:
        """Correct a due time that plain RedBeat code has written, so that the entry is not loaded in vain."""
        if self.stored_score is None or abs(self.stored_score - score) > 0.0005:
            self._advance(None, score, None)

    def _advance(self, meta: str | None, score: float, missed: TicksMissed | None) -> bool:
        """Run the script. False where somebody else has changed the entry."""
        script = get_redis(self.app).register_script(_SCRIPT)
        event = "" if missed is None else encode(missed)[FIELD]
        fields = [*self.raw, meta]
        return bool(
            script(
                keys=[_as_read(keys.entry(self.name)), keys.SCHEDULE_ZSET, keys.EVENTS_STREAM],
                args=[*("-" if text is None else _as_read("+" + text) for text in fields), repr(score), FIELD, event],
            )
        )

    def _sent_for(self, tick: datetime, meta: Meta) -> "BeatEntry":
        """The copy that is sent: its message tells which tick of which revision of which schedule it is."""
        sent = type(self)(**dict(self))
        sent.last_run_at, sent.total_run_count = meta.last_run_at, meta.total_run_count or 0
        if self.entry is None:
            return sent
        schedule = self.entry.schedule
        facts = {
            "schedule": schedule.name,
            "schedule_uid": schedule.uid,
            "revision": schedule.revision,
            "trigger": "schedule",
        }
        headers = {**(self.options.get("headers") or {}), TICK_HEADER: tick_text(tick), HEADER: facts}
        sent.options = {**self.options, "task_id": run_id(schedule.uid, tick), "headers": headers}
        sent.entry, sent.raw = replace(self.entry, meta=meta), self.raw._replace(meta=codec.encode_meta(meta))
        return sent


def _as_read(text: str) -> bytes:
    """The bytes that `text` was read from, which need not be UTF-8: anybody may write an entry."""
    return text.encode("utf-8", "surrogateescape")
