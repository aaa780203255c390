"""What is to be done about each entry that is due: `dispatch.plan` decides, here it becomes a step
to carry out.

An entry that cannot be read, computed or sent is a step too: it is set aside with the reason, and
costs only itself. Most entries do what they did the last time, and go by their `routine`. Writes
nothing.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.entry_cache import DecodedEntry, DecodedEntryCache
from scheduler.beat.fast.routine import FastPath, Moment, routine_for
from scheduler.beat.steps import NO_LEASE, Step, parts_of
from scheduler.beat.stock import by_redbeat
from scheduler.dispatch import message_options, outcomes
from scheduler.dispatch import plan as dispatch
from scheduler.dispatch.plan import Plan
from scheduler.errors import UnreadableEntry
from scheduler.events.schema import FIELD, RunQueued, encode, run_event
from scheduler.publishing.calls import (
    Call,
    Command,
    NotTaken,
    Rendered,
    Unsendable,
)
from scheduler.publishing.message_template import Template
from scheduler.redbeat import codec, quarantine, waiting
from scheduler.redbeat.codec import StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.identity import tick_text
from scheduler.rules.model.spec import RedBeatWhen, Schedule
from scheduler.rules.policies.window import is_paused
from scheduler.runs.headers import STOCK_BEAT_HEADER, Message, facts_of
from scheduler.runs.lease_record import owner_text
from scheduler.schedules.calendar_cache import CalendarCache
from scheduler.schedules.changes import ASLEEP

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

_SAME_SCORE = 0.0005


class Renders(Protocol):
    """Whoever makes messages: see the package's docstring."""

    generation: object
    """Another one where what was learnt of messages holds no more."""

    def render(self, call: Call, now: datetime) -> Rendered:
        """The commands for a call."""

    @property
    def repeats(self) -> bool:
        """May messages be made now from what `template` answers, without asking anybody?"""

    def template(self, call: Call) -> Template | None:
        """What the call's message can be made from; none where there is nothing, or not yet."""

    def reset(self) -> None:
        """Forget connection and templates."""


class Planner:
    """Plans, for one process.

    `renderer` makes the messages, `redis` has the calendars, `limit` is the most bytes of arguments
    in an event.
    """

    def __init__(self, app: Any, redis: "Redis", renderer: Renders, limit: int) -> None:
        self._app, self._redis, self._limit = app, redis, limit
        self.renderer = renderer
        self._entries = DecodedEntryCache()
        self._shelf = CalendarCache()
        self._calendars: dict[str, Calendar] = {}

    def steps(self, seen: Iterable[DueEntry], now: datetime) -> list[Step]:
        """Decide about each. Raises what is broken for all: the broker's errors."""
        seen, moment = list(seen), Moment.of(now)
        self._calendars = self._shelf.known(
            self._redis, {name for one in seen if (name := self._named(one))}
        )
        repeats = self.renderer.repeats
        return [self._decided(one, moment, repeats=repeats) for one in seen]

    def _named(self, seen: DueEntry) -> str | None:
        """The calendar that an entry names."""
        try:
            return (
                self._entries.known(seen).entry.schedule.window.calendar
                if _may_name_one(seen.extra)
                else None
            )
        except UnreadableEntry:
            return None

    def _decided(self, seen: DueEntry, moment: Moment, *, repeats: bool) -> Step:
        if seen.fault is None and seen.definition is None and seen.extra is None:
            return Step(seen, gone=True, parts=parts_of(seen, None))
        try:
            known = self._entries.known(seen)
            step = self._again(seen, known, moment) if repeats else None
            return step or self._step(seen, known, moment)
        except (UnreadableEntry, Unsendable) as error:
            why = str(error)
            parts = parts_of(seen, ASLEEP, aside=quarantine.encode(why, seen.raw, moment.now))
            return Step(seen, ASLEEP, parts, aside=why)
        except NotTaken as error:
            return Step(seen, seen.score, refused=str(error))

    def _again(self, seen: DueEntry, known: DecodedEntry, moment: Moment) -> Step | None:
        """The entry's routine, where it has one, and that will do."""
        routine = known.routine
        if routine is None or routine.made_by is not self.renderer.generation:
            routine = known.routine = self._routine(known)
        made = None if routine is None else routine.step(seen, known.memory, moment)
        if made is None:
            return None
        step, memory, text = made
        known.remember(memory, text)
        return step

    def _routine(self, known: DecodedEntry) -> FastPath | None:
        schedule = known.schedule
        plain = dispatch.is_plain(schedule) and schedule.policies.starting_deadline is None
        if known.memory.last_run_at is None or isinstance(schedule.when, RedBeatWhen) or not plain:
            return None
        call = Call(
            schedule.job, known.call.args, known.call.kwargs, _standing(known, schedule), ""
        )
        template = self.renderer.template(call)
        if template is None:
            return None
        return routine_for(schedule, call, template, self.renderer.generation, self._limit)

    def _step(self, seen: DueEntry, known: DecodedEntry, moment: Moment) -> Step:
        """What all rules say."""
        entry, plan = self._plan(seen, known, moment.now)
        schedule = entry.schedule
        if not plan.has_changes:
            same = abs(seen.score - plan.score) <= _SAME_SCORE
            return Step(seen, plan.score, [] if same else parts_of(seen, plan.score))
        memory = outcomes.meta_after(entry.meta, plan, int(plan.counts))
        text = codec.encode_meta(memory)
        events = [
            encode(outcomes.event_of(schedule, ruling, moment.now))[FIELD]
            for ruling in plan.rulings
        ]
        commands: tuple[Command, ...] = ()
        lease = NO_LEASE
        if plan.send is not None:
            call = self._call(known, schedule, plan, plan.send)
            rendered = self._rendered(call, moment.now)
            commands, lease = rendered.commands, _lease(schedule, plan, call.run, plan.send, moment)
            events += [self._queued(message, moment.now) for message in rendered.messages]
        parts = parts_of(
            seen,
            plan.score,
            meta=text,
            uid=schedule.uid,
            lease=lease,
            taken="" if plan.taken is None else plan.taken.text,
            while_alive=bool(plan.hold) and plan.send is None,
            commands=commands,
            events=events,
            drop=[held.text for held in plan.drop],
            hold=[tick_text(tick) for tick in plan.hold],
        )
        known.remember(memory, text)
        return Step(seen, plan.score, parts, run=lease[0], cancel=schedule if plan.cancel else None)

    def _queued(self, message: Message, now: datetime) -> str:
        """The fact that a message is in the queue."""
        facts = facts_of(message, self._limit, queued_at=now)
        return encode(run_event(RunQueued, message.run, 1, now, facts=facts))[FIELD]

    def _rendered(self, call: Call, now: datetime) -> Rendered:
        """The message; a broker that does not answer is nobody's fault here, all else is the
        entry's.
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
        self, seen: DueEntry, known: DecodedEntry, now: datetime
    ) -> tuple[StoredSchedule, Plan]:
        """The rules' answer; whatever they stumble over is the entry's fault."""
        try:
            entry = dispatch.remembered(known.entry, seen.score, now)
            schedule = entry.schedule
            if (
                isinstance(schedule.when, RedBeatWhen)
                and schedule.enabled
                and not is_paused(schedule, now)
            ):
                return entry, by_redbeat.plan(entry, seen.raw, self._app, now)
            held = tuple(
                waiting.read(tick.decode("utf-8", "surrogateescape")) for tick in seen.waiting
            )
            calendar = self._calendars.get(schedule.window.calendar or "")
            return entry, dispatch.plan(entry, now, seen.alive, held, calendar)
        except Exception as error:
            log.exception("beat: the schedule %r cannot tell when it is due", seen.name)
            raise UnreadableEntry(
                f"its ticks cannot be computed: {type(error).__name__}: {error}"
            ) from error

    def _call(self, known: DecodedEntry, schedule: Schedule, plan: Plan, tick: datetime) -> Call:
        """What stock would give to Celery."""
        options = message_options.for_tick(
            _standing(known, schedule, plan.taken), schedule, tick, plan.taken
        )
        return Call(schedule.job, known.call.args, known.call.kwargs, options, options["task_id"])


def _standing(
    known: DecodedEntry, schedule: Schedule, held: WaitingTick | None = None
) -> dict[str, Any]:
    """What Celery is told of each run of the entry, whatever its tick."""
    options = message_options.standing_options(schedule, known.call.options, held)
    options["headers"][STOCK_BEAT_HEADER] = True
    return options


def _lease(
    schedule: Schedule, plan: Plan, run: str, tick: datetime, moment: Moment
) -> tuple[str, str, str]:
    """The run, what is known of it, and until when it counts as alive: as long as its message may
    wait.
    """
    held = plan.taken
    expires = message_options.expires_at(schedule, tick, held)
    pause_after = (
        schedule.policies.pause_after_failures
        if held is None or held.counts_toward_max_runs
        else None
    )
    owner = owner_text(schedule.uid, schedule.name, pause_after=pause_after, expires=expires)
    return run, owner, moment.alive_until if expires is None else f"{expires.timestamp():.6f}"


def _may_name_one(extra: bytes | None) -> bool:
    """Can our field name a calendar? A look at the bytes, so that others are decoded only once."""
    return extra is not None and (b"calendar" in extra or b"\\u" in extra)
