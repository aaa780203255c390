"""How stock Beat (`celery -A scheduler beat -S redbeat.RedBeatScheduler`) reads and advances our
schedules.

`install` gives a running scheduler our class of entries, and with it:

- ticks come from `rules.ticks`, in the schedule's own zone; the tick's nominal time becomes
  `last_run_at`, so that nothing drifts, and the message carries it, with a run id that follows from
  schedule and tick;
- what is due is sent, waits or gets a verdict as the schedule's policies say (`dispatch.plan`);
  verdicts are events;
- an entry is advanced by a script that first compares what was read, so that an edit or a deletion
  that happens meanwhile stands, and two Beats never send one tick twice; verdicts, waiting ticks
  and the lease of the run that is sent are written in the same transaction;
- an entry that cannot be loaded is set aside (score -1) and costs only itself, where stock ends or
  drops it.

What only RedBeat computes (rrule, rounded intervals) it still computes. Must not publish anything
itself.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from redbeat.schedulers import RedBeatScheduler, RedBeatSchedulerEntry, get_redis
from redis.exceptions import ResponseError

from scheduler.clock import utc_now
from scheduler.dispatch import message_options, next_look, outcomes
from scheduler.dispatch.plan import plan as plan_entry
from scheduler.dispatch.verdicts import Plan
from scheduler.errors import BeatdeskError, UnreadableEntry
from scheduler.events.schema import FIELD, encode
from scheduler.healing import startup_check
from scheduler.redbeat import codec, quarantine, static_set
from scheduler.redbeat.codec import Meta, Raw, StoredSchedule
from scheduler.redbeat.waiting import WaitingTick, read
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.identity import plain_uid, run_id, tick_text
from scheduler.rules.model.spec import RedBeatWhen, Schedule
from scheduler.rules.policies.window import is_paused
from scheduler.runs.lease_record import owner_text
from scheduler.runs.leases import SENT_SECONDS
from scheduler.schedules.calendar_cache import CalendarCache
from scheduler.schedules.changes import ASLEEP
from scheduler.storage import keys
from scheduler.storage.entry_fields import as_stored, entry_arguments
from scheduler.storage.lua import script_text

log = logging.getLogger(__name__)

SOON = 0.01
"""Seconds after which to look again at an entry that has more to send."""

_LOOK = script_text(__package__, "look.lua")
_ADVANCE = script_text(__package__, "advance.lua")
_OURS = ("entry", "raw", "stored_score", "alive", "waiting", "planned", "calendar")
_CALENDARS = CalendarCache()


class EntryMovedOn(BeatdeskError):
    """The entry was changed, deleted or advanced by somebody else while it became due."""


def install(scheduler: Any) -> None:
    """Let a running RedBeatScheduler read our entries. Any other scheduler is left alone, with a
    warning.
    """
    if not isinstance(scheduler, RedBeatScheduler):
        log.warning(
            "Beat runs %s, which does not read the schedules in Redis; start it with -S "
            "scheduler.beat.Scheduler",
            type(scheduler).__name__,
        )
        return
    if issubclass(scheduler.Entry, BeatEntry):
        return  # our own class, which needs nothing of this
    scheduler.Entry = BeatEntry
    static_set.begin(get_redis(scheduler.app))
    startup_check.hold_first_tick(scheduler, get_redis(scheduler.app))


class BeatEntry(RedBeatSchedulerEntry):  # type: ignore[misc] # redbeat has no types
    """An entry as Beat holds it for one look: loaded from Redis, asked whether it is due, advanced,
    thrown away.
    """

    entry: StoredSchedule | None = None
    """What was read; none for an entry that cannot run."""

    raw: Raw = Raw(None, None, None)
    stored_score: float | None = None
    alive: int = 0
    """How many runs of the schedule are not final."""

    waiting: tuple[WaitingTick, ...] = ()
    """The ticks that wait for them."""

    calendar: Calendar | None = None
    """The one that the schedule names, as it is now; none where it names none, or where that is
    gone.
    """

    planned: Plan | None = None
    """What the look came to; the entry is advanced by it."""

    @classmethod
    def from_key(cls, key: str, app: Any = None) -> Self:
        """Load an entry. Raises KeyError only where there is none, which makes RedBeat drop it from
        its set.
        """
        name = keys.schedule_name(key)
        if not name.isascii() and as_stored(name) != name.encode("utf-8", "replace"):
            return cls._unreadable(name, app, Raw(None, None, None), "its name is no text")
        try:
            look = get_redis(app).register_script(_LOOK)(
                keys=[as_stored(key), keys.SCHEDULE_ZSET, keys.STATICS_SET],
                args=[as_stored(name), plain_uid(name), keys.ALIVE_PREFIX, keys.WAITING_PREFIX],
            )
        except UnicodeDecodeError as error:
            return cls._unreadable(name, app, Raw(None, None, None), f"it is no text: {error}")
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            return cls._unreadable(name, app, Raw(None, None, None), f"the key is no hash: {error}")
        raw = Raw(*look[:3])
        if raw.definition is None and raw.extra is None:
            raise KeyError(key)
        try:
            loaded = cls._load(codec.decode(name, raw, static=bool(look[3])), raw, app)
        except UnreadableEntry as error:
            return cls._unreadable(name, app, raw, str(error))
        except Exception as error:  # noqa: BLE001 - whatever Celery makes of it, one entry must not end Beat
            return cls._unreadable(
                name, app, raw, f"Celery cannot load it: {type(error).__name__}: {error}"
            )
        loaded.stored_score = None if look[4] is None else float(look[4])
        loaded.alive = int(look[5])
        if loaded.entry is not None:
            loaded.calendar = _CALENDARS.of(get_redis(app), loaded.entry.schedule)
        loaded.waiting = tuple(map(read, look[6]))
        if loaded.entry is not None:
            loaded.entry = next_look.with_inferred_last_run(
                loaded.entry, loaded.stored_score, loaded.default_now()
            )
            loaded.last_run_at = loaded.entry.meta.last_run_at
        return loaded

    def _default_now(self) -> datetime:
        """The name by which RedBeat calls `default_now`, so that a subclass overrides both at
        once.
        """
        now: datetime = self.default_now()
        return now

    @property
    def due_at(self) -> datetime | None:
        """When the entry is due next; now where that has passed."""
        now: datetime = self.default_now()
        if self.entry is None:
            return None
        if isinstance(self.entry.schedule.when, RedBeatWhen) or self.last_run_at is None:
            due: datetime | None = super().due_at
            return due
        score = next_look.next_score(self.entry)
        return None if score == ASLEEP else max(datetime.fromtimestamp(score, UTC), now)

    def is_due(self) -> tuple[bool, float | None]:
        """Whether to send it now, and in how many seconds to look again. Ticks that are not
        sent get their verdicts here.
        """
        if self.entry is None:
            return False, None
        now: datetime = self.default_now()
        schedule = self.entry.schedule
        if (
            isinstance(schedule.when, RedBeatWhen)
            and schedule.enabled
            and not is_paused(schedule, now)
        ):
            return self._is_due_by_redbeat()
        plan = self.planned = plan_entry(self.entry, now, self.alive, self.waiting, self.calendar)
        wait = None if plan.score == ASLEEP else max(plan.score - now.timestamp(), SOON)
        if plan.send is not None:
            return True, wait
        if plan.has_changes:
            self._advance(self._meta_after(plan), plan, now)
        else:
            self._rescore(plan.score)
        return False, wait

    def _next_instance(
        self, last_run_at: datetime | None = None, only_update_last_run_at: bool = False
    ) -> "BeatEntry":
        """Advance past the tick that is due, and return the copy that is sent for it. Raises
        EntryMovedOn.
        """
        entry = self.entry
        if entry is None:
            raise EntryMovedOn(f"{self.name!r} cannot be run")
        now: datetime = last_run_at or self.default_now()
        plan = self._plan_to_send(entry, now)
        if plan.send is None:
            raise EntryMovedOn(f"{self.name!r} is not due any more")
        meta = self._meta_after(
            plan, count=0 if only_update_last_run_at else int(plan.counts_toward_max_runs)
        )
        if not self._advance(meta, plan, now):
            raise EntryMovedOn(
                f"{self.name!r} was changed while it became due; Beat looks at it again"
            )
        return self._sent_for(plan.send, plan.sent_from_waiting, meta)

    __next__ = next = _next_instance

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """The parts that Celery knows, for whoever copies an entry Celery's way."""
        return ((name, value) for name, value in vars(self).items() if name not in _OURS)

    @classmethod
    def _load(cls, entry: StoredSchedule, raw: Raw, app: Any) -> Self:
        """Make a good entry, the way RedBeat does."""
        text = raw.definition
        if entry.schedule.override is not None:
            text = codec.encode_definition(entry.schedule, entry.definition)
        definition = cls.decode_definition(text)
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
        log.error(
            "beat: the schedule %r cannot run and is set aside until it is mended: %s", name, why
        )
        get_redis(app).hset(
            keys.ASIDE_HASH, as_stored(name), quarantine.encode(why, raw, utc_now())
        )
        if raw == Raw(None, None, None):
            get_redis(app).zadd(keys.SCHEDULE_ZSET, {as_stored(keys.entry(name)): ASLEEP}, xx=True)
        else:
            harmless._advance(None, Plan(score=ASLEEP), None)
        return harmless

    def _plan_to_send(self, entry: StoredSchedule, now: datetime) -> Plan:
        """The plan of the look that found it due, or a new one for whoever asks without looking."""
        if isinstance(entry.schedule.when, RedBeatWhen):
            first = now if entry.meta.last_run_at is not None else now.replace(microsecond=0)
            return Plan(score=self._redbeat_score_after(first), last=first, send=first)
        return self.planned or plan_entry(entry, now, self.alive, self.waiting, self.calendar)

    def _meta_after(self, plan: Plan, count: int = 0) -> Meta:
        """What Beat remembers once the plan is carried out."""
        return outcomes.meta_after(
            self.entry.meta if self.entry is not None else Meta(), plan, count
        )

    def _redbeat_score_after(self, moment: datetime) -> float:
        """RedBeat's own answer for what only RedBeat computes."""
        remaining = self.schedule.remaining_estimate(moment)
        return ASLEEP if remaining is None else (self.default_now() + remaining).timestamp()

    def _is_due_by_redbeat(self) -> tuple[bool, float | None]:
        """RedBeat's own answer; if it has none, the entry is set aside."""
        try:
            due, wait = super().is_due()
        except Exception as error:  # noqa: BLE001 - one entry must not end Beat
            log.error("beat: %r cannot tell when it is due and is set aside: %s", self.name, error)
            why = f"its ticks cannot be computed: {type(error).__name__}: {error}"
            get_redis(self.app).hset(
                keys.ASIDE_HASH, self.name, quarantine.encode(why, self.raw, utc_now())
            )
            self._rescore(ASLEEP)
            return False, None
        now = self.default_now().timestamp()
        if not due and (self.stored_score or 0) <= now:
            self._rescore(ASLEEP if wait is None else now + wait)
        return bool(due), wait

    def _rescore(self, score: float) -> None:
        """Correct a due time that plain RedBeat code has written, so that the entry is not loaded
        in vain.
        """
        if self.stored_score is None or abs(self.stored_score - score) > 0.0005:
            self._advance(None, Plan(score=score), None)

    def _advance(self, meta: Meta | None, plan: Plan, now: datetime | None) -> bool:
        """Carry out the plan in one transaction. False where somebody else has changed the
        entry.
        """
        schedule = self.entry.schedule if self.entry is not None else None
        uid = plain_uid(self.name) if schedule is None else schedule.uid
        events = (
            []
            if now is None
            else [outcomes.event_of(self._schedule(), verdict, now) for verdict in plan.verdicts]
        )
        written = None if meta is None else codec.encode_meta(meta)
        lists: list[list[str]] = [
            [encode(event)[FIELD] for event in events],
            [waiting.text for waiting in plan.drop],
            [tick_text(tick) for tick in plan.wait],
        ]
        done = get_redis(self.app).register_script(_ADVANCE)(
            keys=[
                as_stored(keys.entry(self.name)),
                keys.SCHEDULE_ZSET,
                keys.EVENTS_STREAM,
                keys.LEASES_ZSET,
                keys.LEASE_OWNERS_HASH,
                keys.ALIVE_PREFIX + uid,
                keys.WAITING_PREFIX + uid,
            ],
            args=[
                *entry_arguments(self.raw),
                "0" if written is None else "1",
                "" if written is None else as_stored(written),
                repr(plan.score),
                FIELD,
                *self._lease(plan.send, plan.sent_from_waiting),
                plan.sent_from_waiting.text if plan.sent_from_waiting is not None else "",
                *(part for texts in lists for part in (len(texts), *texts)),
            ],
        )
        if done and plan.cancel and now is not None:
            outcomes.cancel_alive(get_redis(self.app), self.app, self._schedule(), now)
        return bool(done)

    def _lease(self, tick: datetime | None, waited: WaitingTick | None) -> tuple[str, str, float]:
        """The run that is sent for a tick, what is known of it, and how long it may take to its
        queue.
        """
        if tick is None or self.entry is None:
            return "", "", 0
        schedule = self.entry.schedule
        owner = owner_text(
            schedule.uid,
            schedule.name,
            facts=message_options.facts_of(schedule, tick, waited),
            pause_after=schedule.policies.pause_after_failures
            if waited is None or waited.counts_toward_max_runs
            else None,
            expires=message_options.expires_at(schedule, tick, waited),
        )
        return run_id(schedule.uid, tick), owner, SENT_SECONDS

    def _schedule(self) -> Schedule:
        if self.entry is None:
            raise UnreadableEntry(f"{self.name!r} cannot be run")
        return self.entry.schedule

    def _sent_for(self, tick: datetime, waited: WaitingTick | None, meta: Meta) -> "BeatEntry":
        """The copy that is sent: its message tells which tick of which revision of which schedule
        it is.
        """
        sent = type(self)(**dict(self))
        sent.last_run_at, sent.total_run_count = meta.last_run_at, meta.total_run_count or 0
        if self.entry is None:
            return sent
        sent.options = message_options.options_for(self.entry.schedule, tick, self.options, waited)
        sent.entry, sent.raw = (
            replace(self.entry, meta=meta),
            self.raw._replace(meta=codec.encode_meta(meta)),
        )
        return sent
