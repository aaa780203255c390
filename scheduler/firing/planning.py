"""What is to be done about each entry that is due: `schedules.dispatch` decides, here it becomes a step to carry out.

An entry that cannot be read, computed or sent is a step too: it is set aside with the reason, and costs only itself.
What was decoded is kept by the bytes that it was decoded from. Writes nothing.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from scheduler.errors import UnreadableEntry
from scheduler.firing.calls import Call, NotTaken, Rendered, Unsendable
from scheduler.firing.reading import Seen
from scheduler.rules.calendars import Calendar
from scheduler.rules.spec import RedBeatWhen
from scheduler.rules.window import is_paused
from scheduler.runs.facts import STOCK_BEAT_HEADER
from scheduler.schedules import advancing, by_redbeat, codec, dispatch, sending, waiting
from scheduler.schedules.calendar_shelf import Shelf
from scheduler.schedules.called import Called, called
from scheduler.schedules.changes import ASLEEP
from scheduler.schedules.codec import Entry, Meta, Raw
from scheduler.schedules.dispatch import Plan

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

MOST_KEPT = 20_000
"""Decoded entries that are kept. One is about 5 KB."""

_SAME_SCORE = 0.0005


class Renders(Protocol):
    """Whoever makes messages: see the package's docstring."""

    def render(self, call: Call, now: datetime) -> Rendered:
        """The commands for a call."""

    def reset(self) -> None:
        """Forget connection and templates."""


@dataclass(slots=True)
class Step:
    """What is to be done about one entry."""

    seen: Seen
    plan: Plan
    entry: Entry | None = None
    meta: str | None = None
    """The new meta; none leaves it as it is."""

    run: str = ""
    sent: Rendered | None = None
    aside: str = ""
    """Why it is set aside."""

    memo: dict[str, Any] = field(default_factory=dict)
    """`Call.memo` of the entry."""

    refused: str = ""
    """Why its message cannot be made now."""

    gone: bool = False
    """There is no such entry any more."""

    @property
    def changes_nothing(self) -> bool:
        """Is everything as it should be already?"""
        idle = not (self.plan.says_anything or self.aside or self.gone)
        return idle and abs(self.seen.score - self.plan.score) <= _SAME_SCORE


class _Known(NamedTuple):
    """A decoded entry, with what it was decoded from."""

    raw: Raw
    static: bool
    entry: Entry
    call: Called
    memo: dict[str, Any]


class Planner:
    """Plans, for one process. `renderer` makes the messages, `redis` has the calendars."""

    def __init__(self, app: Any, redis: "Redis", renderer: Renders) -> None:
        self._app, self._redis = app, redis
        self.renderer = renderer
        self._kept: dict[str, _Known] = {}
        self._shelf = Shelf()
        self._calendars: dict[str, Calendar] = {}

    def prepare(self, seen: Iterable[Seen]) -> None:
        """Learn which calendars there are now, of those that these entries name: one question, where any does."""
        self._calendars = self._shelf.known(self._redis, {name for one in seen if (name := self._named(one))})

    def _named(self, seen: Seen) -> str | None:
        """The calendar that an entry names."""
        try:
            return self._known(seen).entry.schedule.window.calendar if _may_name_one(seen.raw.extra) else None
        except UnreadableEntry:
            return None

    def step(self, seen: Seen, now: datetime) -> Step:
        """Decide about one entry. Raises what is broken for all: the broker's errors."""
        raw = seen.raw
        if seen.fault is None and raw.definition is None and raw.extra is None:
            return Step(seen, Plan(), gone=True)
        try:
            return self._step(seen, self._known(seen), now)
        except (UnreadableEntry, Unsendable) as error:
            return Step(seen, Plan(score=ASLEEP), aside=str(error))
        except NotTaken as error:
            return Step(seen, Plan(score=seen.score), refused=str(error))

    def _step(self, seen: Seen, known: _Known, now: datetime) -> Step:
        entry, plan = self._plan(seen, known, now)
        step = Step(seen, plan, entry)
        if not plan.says_anything:
            return step
        meta = advancing.meta_after(entry.meta, plan, int(plan.counts))
        step.meta = codec.encode_meta(meta)
        if plan.send is not None:
            call = self._call(known, entry, plan, plan.send)
            step.run, step.sent, step.memo = call.run, self._rendered(call, now), known.memo
        raw = Raw(known.raw.definition, step.meta, known.raw.extra)
        self._kept[seen.key] = _Known(raw, known.static, _with_memory(known.entry, meta), known.call, known.memo)
        return step

    def _rendered(self, call: Call, now: datetime) -> Rendered:
        """The message; a broker that does not answer is nobody's fault here, all else is the entry's."""
        try:
            return self.renderer.render(call, now)
        except (Unsendable, NotTaken, RedisError, OperationalError, OSError):
            raise
        except Exception as error:
            log.exception("beat: no message can be made for run %s of %s", call.run, call.job)
            raise Unsendable(f"no message can be made of it: {type(error).__name__}: {error}") from error

    def _plan(self, seen: Seen, known: _Known, now: datetime) -> tuple[Entry, Plan]:
        """The rules' answer; whatever they stumble over is the entry's fault."""
        try:
            entry = dispatch.remembered(known.entry, seen.score, now)
            schedule = entry.schedule
            if isinstance(schedule.when, RedBeatWhen) and schedule.enabled and not is_paused(schedule, now):
                return entry, by_redbeat.plan(entry, seen.raw, self._app, now)
            held = tuple(map(waiting.read, seen.waiting))
            calendar = self._calendars.get(schedule.window.calendar or "")
            return entry, dispatch.plan(entry, now, seen.alive, held, calendar)
        except Exception as error:
            log.exception("beat: the schedule %r cannot tell when it is due", seen.name)
            raise UnreadableEntry(f"its ticks cannot be computed: {type(error).__name__}: {error}") from error

    def _known(self, seen: Seen) -> _Known:
        """The decoded entry. Raises UnreadableEntry."""
        raw, known = seen.raw, self._kept.get(seen.key)
        if seen.fault is not None:
            raise UnreadableEntry(f"the key is not what it should be: {seen.fault}")
        if known is not None and known.raw == raw and known.static == seen.static:
            return known
        if known is not None and known.raw._replace(meta=raw.meta) == raw and known.static == seen.static:
            known = known._replace(raw=raw, entry=_with_memory(known.entry, codec.decode_meta(raw.meta)))
        else:
            known = self._decoded(seen)
        if len(self._kept) >= MOST_KEPT and seen.key not in self._kept:
            del self._kept[next(iter(self._kept))]
        self._kept[seen.key] = known
        return known

    def _decoded(self, seen: Seen) -> _Known:
        name, raw = seen.name, seen.raw
        if not name.isascii() and name.encode("utf-8", "surrogateescape") != name.encode("utf-8", "replace"):
            raise UnreadableEntry("its name is no text")
        try:
            entry = codec.decode(name, raw, static=seen.static)
            call = called(entry, raw)
        except UnreadableEntry:
            raise
        except Exception as error:
            raise UnreadableEntry(f"it cannot be decoded: {type(error).__name__}: {error}") from error
        return _Known(raw, seen.static, entry, call, {})

    def _call(self, known: _Known, entry: Entry, plan: Plan, tick: datetime) -> Call:
        """What stock would give to Celery."""
        schedule = entry.schedule
        before = known.memo.get("options") if plan.taken is None else None
        if before is not None:
            options = sending.for_tick(before, schedule, tick)
        else:
            options = sending.options_for(schedule, tick, known.call.options, plan.taken)
            options["headers"][STOCK_BEAT_HEADER] = True
            if plan.taken is None:
                known.memo["options"] = options
        return Call(
            job=schedule.job,
            args=known.call.args,
            kwargs=known.call.kwargs,
            options=options,
            run=options["task_id"],
            tick=tick,
            memo=known.memo,
        )


def _may_name_one(extra: str | None) -> bool:
    """Can our field name a calendar? A look at the text, so that others are decoded only once."""
    return extra is not None and ("calendar" in extra or "\\u" in extra)


def _with_memory(entry: Entry, meta: Meta) -> Entry:
    """The same entry, with what Beat remembers of it now."""
    return entry if entry.meta == meta else Entry(entry.schedule, meta, entry.diverged, entry.definition)
