"""The decision about each due entry, as writes for `fire.lua`. Writes nothing.

The fast path is tried first. Otherwise `dispatch.plan` decides and Celery makes the message. An
entry that cannot be read, computed or sent gets a write too: into quarantine with the reason, at no
cost for other entries.
"""

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_writes import NO_LEASE, EntryWrite, parts_of
from scheduler.beat.fast.decoded_entries import DecodedEntry
from scheduler.beat.fast.path import FastPath
from scheduler.beat.fast.prepared_run import Moment
from scheduler.beat.stock import by_redbeat
from scheduler.beat.work_budget import WorkBudget
from scheduler.dispatch import message_options, next_look, outcomes
from scheduler.dispatch.plan import plan as plan_entry
from scheduler.dispatch.verdicts import Plan
from scheduler.errors import UnreadableEntry
from scheduler.events.schema import FIELD, RunQueued, encode, run_event
from scheduler.publishing.calls import Call, Command, NotTaken, Rendered, Unsendable
from scheduler.publishing.message_template import Template
from scheduler.redbeat import codec, quarantine, waiting
from scheduler.redbeat.codec import StoredSchedule
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.identity import tick_text
from scheduler.rules.model.spec import RedBeatWhen, Schedule
from scheduler.rules.policies.window import is_paused
from scheduler.runs.headers import Message, facts_of
from scheduler.runs.lease_record import owner_text
from scheduler.schedules.calendar_cache import CalendarCache
from scheduler.schedules.changes import ASLEEP

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

_SAME_SCORE = 0.0005
"""Scores closer than this number of seconds are one moment."""


class Renders(Protocol):
    """The maker of messages; the contract is in the package's docstring."""

    generation: object
    """The identity of the current templates; a new object when templates go out of date."""

    def render(self, call: Call, now: datetime) -> Rendered:
        """The commands and the message of a call."""

    @property
    def can_use_templates(self) -> bool:
        """True while messages may be made from templates, unseen by Celery's listeners."""

    def template(self, call: Call) -> Template | None:
        """The template for the call's message; None before the first similar message."""

    def reset(self) -> None:
        """Drop the connection and the templates."""


class Planner:
    """The planner of one Beat process.

    `renderer` makes the messages, `redis` has the calendars, `limit` is the most bytes of arguments
    in an event.
    """

    def __init__(
        self, app: Any, redis: "Redis", renderer: Renders, limit: int, *, fast_path: bool = True
    ) -> None:
        self._app = app
        self._redis = redis
        self._limit = limit
        self.renderer = renderer
        self._fast = FastPath(enabled=fast_path, limit=limit)
        self._calendar_cache = CalendarCache()
        self._calendars: dict[str, Calendar] = {}

    def entry_writes(
        self,
        entries: Iterable[DueEntry],
        now: datetime,
        until: float = inf,
        budget: WorkBudget | None = None,
    ) -> list[EntryWrite]:
        """The write for each entry. Raises the broker's errors, which concern all entries.

        After the monotonic time `until` no further entry is planned, and none beyond the `budget`
        of slow entries, so that there are fewer writes
        than entries. A budget that is not spent admits at least one.
        """
        budget = budget or WorkBudget()
        entries = list(filter(budget.admits, entries))
        moment = Moment.of(now, len(entries))
        names = {name for entry in entries if (name := self._calendar_name(entry))}
        self._calendars = self._calendar_cache.existing(self._redis, names)
        can_use_templates = self.renderer.can_use_templates
        writes: list[EntryWrite] = []
        began = time.monotonic()
        for entry in entries:
            if not budget.admits(entry):
                continue
            writes.append(self._entry_write(entry, moment, can_use_templates=can_use_templates))
            ended = time.monotonic()
            budget.record(entry, ended - began)
            if ended > until:
                break
            began = ended
        return writes

    def _calendar_name(self, entry: DueEntry) -> str | None:
        """The name of an entry's calendar; None without one. Decodes only entries that may name
        one.
        """
        extra = entry.extra
        if extra is None or (b"calendar" not in extra and b"\\u" not in extra):
            return None
        try:
            return self._fast.decode(entry).schedule.window.calendar
        except Exception:  # noqa: BLE001 - the entry's own write meets the same error
            return None

    def _entry_write(
        self, entry: DueEntry, moment: Moment, *, can_use_templates: bool
    ) -> EntryWrite:
        if entry.fault is None and entry.definition is None and entry.extra is None:
            return EntryWrite(entry, gone=True, parts=parts_of(entry, None))
        try:
            decoded = self._fast.decode(entry)
            write = (
                self._fast.entry_write(entry, decoded, self.renderer, moment)
                if can_use_templates
                else None
            )
            return write or self._full_write(entry, decoded, moment)
        except (UnreadableEntry, Unsendable) as error:
            return _quarantined(entry, str(error), moment)
        except NotTaken as error:
            return EntryWrite(entry, entry.score, refused=str(error))
        except (RedisError, OperationalError, OSError):
            raise  # the broker's, which concern all entries
        except Exception as error:
            log.exception("beat: the schedule %r cannot be planned", entry.name)
            return _quarantined(
                entry, f"it cannot be planned: {type(error).__name__}: {error}", moment
            )

    def _full_write(self, entry: DueEntry, decoded: DecodedEntry, moment: Moment) -> EntryWrite:
        """The write by all rules and with Celery's own message."""
        stored, plan = self._plan(entry, decoded, moment.now)
        schedule = stored.schedule
        if not plan.has_changes:
            unchanged = abs(entry.score - plan.score) <= _SAME_SCORE
            return EntryWrite(entry, plan.score, [] if unchanged else parts_of(entry, plan.score))
        meta = outcomes.meta_after(stored.meta, plan, int(plan.counts_toward_max_runs))
        meta_text = codec.encode_meta(meta)
        events = [
            encode(outcomes.event_of(schedule, verdict, moment.now))[FIELD]
            for verdict in plan.verdicts
        ]
        commands: tuple[Command, ...] = ()
        lease = NO_LEASE
        if plan.send is not None:
            call = _call(decoded, schedule, plan, plan.send)
            rendered = self._render(call, moment.now)
            commands = rendered.commands
            lease = _lease(schedule, plan, call.run, plan.send, moment)
            events += [self._queued_event(message, moment.now) for message in rendered.messages]
        parts = parts_of(
            entry,
            plan.score,
            meta=meta_text,
            uid=schedule.uid,
            lease=lease,
            sent_waiting="" if plan.sent_from_waiting is None else plan.sent_from_waiting.text,
            while_alive=bool(plan.wait) and plan.send is None,
            commands=commands,
            events=events,
            drop=[waiting_tick.text for waiting_tick in plan.drop],
            wait=[tick_text(tick) for tick in plan.wait],
        )
        decoded.set_meta(meta.last_run_at, meta.total_run_count, meta_text.encode())
        cancel = schedule if plan.cancel else None
        return EntryWrite(entry, plan.score, parts, run=lease[0], cancel=cancel)

    def _queued_event(self, message: Message, now: datetime) -> str:
        """`run.queued` for a message, encoded."""
        facts = facts_of(message, self._limit, queued_at=now)
        return encode(run_event(RunQueued, message.run, 1, now, facts=facts))[FIELD]

    def _render(self, call: Call, now: datetime) -> Rendered:
        """The message of a call. Raises the broker's errors unchanged, and Unsendable for every
        error caused by the entry.
        """
        try:
            return self.renderer.render(call, now)
        except (Unsendable, NotTaken, RedisError, OperationalError, OSError):
            raise
        except Exception as error:
            log.exception("beat: no message can be made for run %s of %s", call.run, call.job)
            raise Unsendable(
                f"no message can be made of it: {type(error).__name__}: {error}"
            ) from error

    def _plan(
        self, entry: DueEntry, decoded: DecodedEntry, now: datetime
    ) -> tuple[StoredSchedule, Plan]:
        """The schedule and the plan by the rules. Raises UnreadableEntry for any error in them."""
        try:
            stored = next_look.with_inferred_last_run(decoded.stored, entry.score, now)
            schedule = stored.schedule
            by_redbeats_code = isinstance(schedule.when, RedBeatWhen)
            if by_redbeats_code and schedule.enabled and not is_paused(schedule, now):
                return stored, by_redbeat.plan(stored, entry.raw, self._app, now)
            ticks = tuple(
                waiting.readable(text.decode("utf-8", "surrogateescape") for text in entry.waiting)
            )
            plan = self._fast.plan(stored, now, entry.alive, ticks)
            if plan is None:
                calendar = self._calendars.get(schedule.window.calendar or "")
                plan = plan_entry(stored, now, entry.alive, ticks, calendar)
            return stored, plan
        except UnreadableEntry:
            raise
        except Exception as error:
            log.exception("beat: the ticks of the schedule %r cannot be computed", entry.name)
            raise UnreadableEntry(
                f"its ticks cannot be computed: {type(error).__name__}: {error}"
            ) from error


def _quarantined(entry: DueEntry, reason: str, moment: Moment) -> EntryWrite:
    """The write that takes an entry off the due ones, with the reason."""
    record = quarantine.encode(reason, entry.raw, moment.now)
    return EntryWrite(entry, ASLEEP, parts_of(entry, ASLEEP, quarantine=record), quarantined=reason)


def _call(decoded: DecodedEntry, schedule: Schedule, plan: Plan, tick: datetime) -> Call:
    """The call for a tick, as stock Beat would make it."""
    options = message_options.for_tick(
        message_options.beat_options(schedule, decoded.call.options, plan.sent_from_waiting),
        schedule,
        tick,
        plan.sent_from_waiting,
    )
    return Call(schedule.job, decoded.call.args, decoded.call.kwargs, options, options["task_id"])


def _lease(
    schedule: Schedule, plan: Plan, run: str, tick: datetime, moment: Moment
) -> tuple[str, str, str]:
    """The run's id, its lease record, and the end of its lease in seconds since 1970: the latest
    time for its message to reach a worker.
    """
    waited = plan.sent_from_waiting
    expires = message_options.expires_at(schedule, tick, waited)
    counts = waited is None or waited.counts_toward_max_runs
    pause_after = schedule.policies.pause_after_failures if counts else None
    owner = owner_text(schedule.uid, schedule.name, pause_after=pause_after, expires=expires)
    return run, owner, moment.alive_until if expires is None else f"{expires.timestamp():.6f}"
