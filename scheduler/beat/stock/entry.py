"""Entries as stock Beat reads and advances them (`celery beat -S redbeat.RedBeatScheduler`).

`install` gives a running scheduler Beatdesk's class of entries, with these effects:

- Ticks come from `rules.ticks`, in the schedule's own zone. The tick's nominal time becomes
  `last_run_at`, so that nothing drifts. The message carries the tick, and a run id computed from
  schedule and tick.
- A due tick is sent, waits or gets a verdict by the schedule's policies (`dispatch.plan`).
  Verdicts are events.
- A script advances the entry, and first compares every byte with the entry as read. So an edit or
  a deletion meanwhile stands, and two Beats never send the same tick twice. Verdicts, waiting
  ticks and the lease of the sent run are written in the same transaction.
- An entry that cannot be loaded is quarantined (score -1) and stops no other entry. Stock Beat
  would end, or drop the entry.

Rrules and rounded intervals that only RedBeat computes are still left to RedBeat. Must not publish
anything itself.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from redbeat.schedulers import RedBeatScheduler, RedBeatSchedulerEntry, get_redis
from redis.exceptions import RedisError, ResponseError

from scheduler.clock import utc_now
from scheduler.dispatch import message_options, next_look, outcomes
from scheduler.dispatch.plan import plan as plan_entry
from scheduler.dispatch.verdicts import Plan
from scheduler.errors import BeatdeskError, UnreadableEntry
from scheduler.events.schema import FIELD, encode
from scheduler.healing import startup_check
from scheduler.messages import options as option_judge
from scheduler.redbeat import bounded_rrule, codec, quarantine, static_set
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
"""Seconds until the next check of an entry with more to send."""

_READ_ENTRY = script_text(__package__, "read_entry.lua")
_ADVANCE = script_text(__package__, "advance.lua")
_OWN_FIELDS = ("entry", "raw", "stored_score", "alive", "waiting", "planned", "calendar")
_CALENDARS = CalendarCache()


class EntryMovedOn(BeatdeskError):
    """Another writer has changed, deleted or advanced the entry while it became due."""


def install(scheduler: Any) -> None:
    """Make a running RedBeatScheduler read Beatdesk's entries.

    Any other scheduler is left alone, with a warning.
    """
    if not isinstance(scheduler, RedBeatScheduler):
        log.warning(
            "Beat runs %s, which does not read the schedules in Redis; start it with -S "
            "scheduler.beat.Scheduler",
            type(scheduler).__name__,
        )
        return
    if issubclass(scheduler.Entry, BeatEntry):
        return  # Beatdesk's own class is set up already
    scheduler.Entry = BeatEntry
    static_set.begin(get_redis(scheduler.app))
    startup_check.hold_first_tick(scheduler, get_redis(scheduler.app))


class BeatEntry(RedBeatSchedulerEntry):  # type: ignore[misc] # redbeat has no types
    """An entry for a single turn of Beat: loaded, checked for a due tick, advanced, dropped."""

    entry: StoredSchedule | None = None
    """The decoded entry; None for an entry that cannot run."""

    raw: Raw = Raw(None, None, None)
    stored_score: float | None = None
    alive: int = 0
    """The number of the schedule's runs that are not final."""

    waiting: tuple[WaitingTick, ...] = ()
    """Ticks waiting for the end of the living runs."""

    calendar: Calendar | None = None
    """The schedule's current calendar; None without a calendar, or for a missing or damaged one."""

    planned: Plan | None = None
    """The plan of `is_due`, carried out by `next`."""

    @classmethod
    def from_key(cls, key: str, app: Any = None) -> Self:
        """Load an entry from Redis; an unreadable entry is quarantined.

        Raises KeyError only for an absent entry, which RedBeat then drops from its set.
        """
        name = keys.schedule_name(key)
        if not name.isascii() and as_stored(name) != name.encode("utf-8", "replace"):
            return cls._unreadable(name, app, Raw(None, None, None), "its name is not UTF-8 text")
        try:
            reply = get_redis(app).register_script(_READ_ENTRY)(
                keys=[as_stored(key), keys.SCHEDULE_ZSET, keys.STATICS_SET],
                args=[as_stored(name), plain_uid(name), keys.ALIVE_PREFIX, keys.WAITING_PREFIX],
            )
        except UnicodeDecodeError as error:
            return cls._unreadable(
                name, app, Raw(None, None, None), f"it is not UTF-8 text: {error}"
            )
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            return cls._unreadable(
                name, app, Raw(None, None, None), f"the key is not a hash: {error}"
            )
        raw = Raw(*reply[:3])
        if raw.definition is None and raw.extra is None:
            raise KeyError(key)
        try:
            return cls._loaded_with_state(name, raw, reply[3:], app)
        except UnreadableEntry as error:
            return cls._unreadable(name, app, raw, str(error))
        except RedisError:
            raise  # the server's, which concerns all entries
        except Exception as error:  # noqa: BLE001 - whatever Celery makes of it, one entry must not end Beat
            return cls._unreadable(
                name, app, raw, f"Celery cannot load it: {type(error).__name__}: {error}"
            )

    @classmethod
    def _loaded_with_state(cls, name: str, raw: Raw, state: Any, app: Any) -> Self:
        """Return an entry with its due time, living runs, waiting ticks and calendar.

        `state` are the values of `read_entry.lua` after the three fields. Raises UnreadableEntry
        with the reason why the entry cannot run.
        """
        is_static, due, alive, ticks = state
        loaded = cls._load(codec.decode(name, raw, static=bool(is_static)), raw, app)
        fault = option_judge.fault_of(loaded.task, loaded.options or {})
        if fault is not None:
            raise UnreadableEntry(f"Celery cannot send it: {fault}")
        loaded.stored_score = None if due is None else float(due)
        loaded.alive = int(alive)
        loaded.waiting = tuple(map(read, ticks))
        if loaded.entry is not None:
            loaded.calendar = _CALENDARS.of(get_redis(app), loaded.entry.schedule)
            loaded.entry = next_look.with_inferred_last_run(
                loaded.entry, loaded.stored_score, loaded.default_now()
            )
            loaded.last_run_at = loaded.entry.meta.last_run_at
        return loaded

    def _default_now(self) -> datetime:
        """RedBeat's other name for `default_now`, so that a subclass overrides both at once."""
        now: datetime = self.default_now()
        return now

    @property
    def due_at(self) -> datetime | None:
        """The next due time, aware: never before now, and None for a sleeping entry."""
        now: datetime = self.default_now()
        if self.entry is None:
            return None
        if isinstance(self.entry.schedule.when, RedBeatWhen) or self.last_run_at is None:
            due: datetime | None = super().due_at
            return due
        score = next_look.next_score(self.entry)
        return None if score == ASLEEP else max(datetime.fromtimestamp(score, UTC), now)

    def is_due(self) -> tuple[bool, float | None]:
        """Return whether to send now, and the seconds until the next check.

        Writes verdicts on ticks that are not sent.
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
        try:
            plan = plan_entry(self.entry, now, self.alive, self.waiting, self.calendar)
        except Exception as error:  # noqa: BLE001 - one entry must not end Beat
            return self._quarantine(error)
        self.planned = plan
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
        """Advance past the due tick, and return the copy to send. Raises EntryMovedOn."""
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
                f"{self.name!r} was changed while it became due; Beat reads it again"
            )
        return self._sent_for(plan.send, plan.sent_from_waiting, meta)

    __next__ = next = _next_instance

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield the fields for Celery's copy of an entry."""
        return ((name, value) for name, value in vars(self).items() if name not in _OWN_FIELDS)

    @classmethod
    def _load(cls, entry: StoredSchedule, raw: Raw, app: Any) -> Self:
        """Return a readable entry, loaded as RedBeat does."""
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
        bounded_rrule.bound(loaded.schedule)
        return loaded

    @classmethod
    def _unreadable(cls, name: str, app: Any, raw: Raw, why: str) -> Self:
        """Quarantine an entry, and return a replacement that is never due."""
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
        """Return the plan of `is_due`, or a new plan for a caller that skipped `is_due`."""
        if isinstance(entry.schedule.when, RedBeatWhen):
            first = now if entry.meta.last_run_at is not None else now.replace(microsecond=0)
            return Plan(score=self._redbeat_score_after(first), last=first, send=first)
        return self.planned or plan_entry(entry, now, self.alive, self.waiting, self.calendar)

    def _meta_after(self, plan: Plan, count: int = 0) -> Meta:
        """Return Beat's metadata after the plan."""
        return outcomes.meta_after(
            self.entry.meta if self.entry is not None else Meta(), plan, count
        )

    def _redbeat_score_after(self, moment: datetime) -> float:
        """Return RedBeat's due time for a schedule that only RedBeat computes, in Unix seconds."""
        remaining = self.schedule.remaining_estimate(moment)
        return ASLEEP if remaining is None else (self.default_now() + remaining).timestamp()

    def _is_due_by_redbeat(self) -> tuple[bool, float | None]:
        """Return RedBeat's own decision. An entry that RedBeat cannot compute is quarantined."""
        try:
            due, wait = super().is_due()
        except Exception as error:  # noqa: BLE001 - one entry must not end Beat
            return self._quarantine(error)
        now = self.default_now().timestamp()
        if not due and (self.stored_score or 0) <= now:
            self._rescore(ASLEEP if wait is None else now + wait)
        return bool(due), wait

    def _quarantine(self, error: Exception) -> tuple[bool, None]:
        """Quarantine an entry whose ticks cannot be computed. Returns the answer of `is_due`."""
        log.error(
            "beat: the ticks of %r cannot be computed, the schedule is set aside: %s",
            self.name,
            error,
        )
        why = f"its ticks cannot be computed: {type(error).__name__}: {error}"
        record = quarantine.encode(why, self.raw, utc_now())
        get_redis(self.app).hset(keys.ASIDE_HASH, as_stored(self.name), record)
        self._rescore(ASLEEP)
        return False, None

    def _rescore(self, score: float) -> None:
        """Correct a due time written by plain RedBeat code, to avoid needless loads."""
        if self.stored_score is None or abs(self.stored_score - score) > 0.0005:
            self._advance(None, Plan(score=score), None)

    def _advance(self, meta: Meta | None, plan: Plan, now: datetime | None) -> bool:
        """Carry out the plan in a single transaction. False where another writer was faster."""
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
        """Return run id, lease record, and seconds to reach a queue, for the run of a tick."""
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
        """Return the copy to send. Its message names schedule, revision and tick."""
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
