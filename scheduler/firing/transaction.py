"""Carries out the steps of a chunk: one script, in which each entry is fired whole or not at all."""

from collections.abc import Sequence
from datetime import datetime
from operator import is_
from typing import TYPE_CHECKING, Any

from scheduler import keys
from scheduler.events.schema import FIELD, RunQueued, encode, queued_like, queued_pattern, run_event
from scheduler.firing.leader import Leader, LostLock
from scheduler.firing.planning import Step
from scheduler.firing.scripts import ServerScript, as_read, text_of
from scheduler.rules.identity import plain_uid, tick_text
from scheduler.rules.spec import Schedule
from scheduler.runs.facts import HEADER, STOCK_BEAT_HEADER, Message, facts_of
from scheduler.runs.leases import QUEUED_SECONDS, owner_text
from scheduler.schedules import advancing, aside, sending
from scheduler.schedules.dispatch import Plan

if TYPE_CHECKING:
    from redis import Redis

MOVED_ON = "0"
"""An entry is not as it was read."""

_NOTHING: tuple[str, str, str] = ("", "", "0")


class Transaction:
    """The script. `limit` is the most bytes of arguments that an event carries."""

    def __init__(self, redis: "Redis", leader: Leader, names: keys.Names, limit: int) -> None:
        self._leader, self._limit, self._names = leader, limit, names
        self._fire = ServerScript(redis, "fire.lua")
        self._keys = [
            names.lock,
            names.schedule,
            keys.EVENTS_STREAM,
            keys.LEASES_ZSET,
            keys.LEASE_OWNERS_HASH,
            keys.ASIDE_HASH,
        ]

    def carry_out(self, steps: Sequence[Step], now: datetime) -> list[str]:
        """Do it. For each step nothing where it is done, MOVED_ON, or why the server refused it. Raises LostLock."""
        head = [self._leader.token or "", FIELD, keys.ALIVE_PREFIX, keys.WAITING_PREFIX]
        answer: Any = self._fire(self._keys, [*head, *(part for step in steps for part in self._parts(step, now))])
        if answer == -1:
            raise LostLock
        return [
            "" if said == 1 else MOVED_ON if said == 0 else (text_of(said) or "the server said nothing")
            for said in answer
        ]

    def _parts(self, step: Step, now: datetime) -> list[Any]:
        """A step as the script's arguments."""
        plan, entry, seen = step.plan, step.entry, step.seen
        schedule = None if entry is None else entry.schedule
        name = as_read(seen.name)
        uid = schedule.uid if schedule is not None else plain_uid(name.decode("utf-8", "replace"))
        parts: list[Any] = [
            as_read(seen.key),
            *("-" if text is None else as_read("+" + text) for text in (*seen.raw, step.meta)),
            "" if step.gone else repr(plan.score),
            name,
            uid,
            *(_NOTHING if schedule is None else _lease(step, schedule, now)),
            "" if plan.taken is None else plan.taken.text,
            "1" if plan.hold and plan.send is None else "",
            aside.written(step.aside, seen.raw, now) if step.aside else "",
        ]
        commands = () if step.sent is None else step.sent.commands
        parts.append(len(commands))
        for command in commands:
            parts += (len(command), *command)
        for texts in (
            [] if schedule is None else self._events(step, schedule, now),
            [held.text for held in plan.drop],
            [tick_text(tick) for tick in plan.hold],
        ):
            parts += (len(texts), *texts)
        return parts

    def _events(self, step: Step, schedule: Schedule, now: datetime) -> list[str]:
        """The facts that the step makes: what became of ticks, and that its run is in the queue."""
        said = [encode(advancing.event_of(schedule, ruling, now))[FIELD] for ruling in step.plan.rulings]
        said += [self._queued(step, message, now) for message in (() if step.sent is None else step.sent.messages)]
        return said

    def _queued(self, step: Step, message: Message, now: datetime) -> str:
        """That a message is in the queue; from the second run of an entry on, by what was said of the first."""
        marks, known = _marks(message), step.memo.get("queued")
        tick = step.plan.send
        alike = known is not None and message.run == step.run and all(map(is_, marks, known[0]))
        if alike and known is not None and tick is not None:
            return queued_like(known[1], message.run, now, tick)
        facts = facts_of(message, self._limit, queued_at=now)
        event = run_event(RunQueued, message.run, 1, now, facts=facts)
        text = encode(event)[FIELD]
        pattern = None
        if isinstance(event, RunQueued) and message.run == step.run and facts.tick == tick:
            pattern = queued_pattern(text, event)
        step.memo["queued"] = None if pattern is None else (marks, pattern)
        return text


def _marks(message: Message) -> tuple[Any, ...]:
    """The objects that a run's facts are made from, but for its tick: `facts.facts_of` looks at nothing else."""
    headers = message.headers
    about = (headers.get(HEADER), headers.get("task"), headers.get(STOCK_BEAT_HEADER), headers.get("parent_id"))
    return (*about, message.args, message.kwargs, message.queue)


def _lease(step: Step, schedule: Schedule, now: datetime) -> tuple[str, str, str]:
    """The run, what is known of it, and until when it counts as alive: as long as its message may wait."""
    plan: Plan = step.plan
    if plan.send is None:
        return _NOTHING
    held = plan.taken
    expires = sending.expires_at(schedule, plan.send, held)
    pause_after = schedule.policies.pause_after_failures if held is None or held.counts else None
    owner = owner_text(schedule.uid, schedule.name, pause_after=pause_after, expires=expires)
    till = now.timestamp() + QUEUED_SECONDS if expires is None else expires.timestamp()
    return step.run, owner, f"{till:.6f}"
