"""Lives of one schedule, minute by minute: what the product makes of them, and what an independent
calculation expects. Time is an argument; nothing is read from a clock or a server.

Within a minute: Beat's pass after 1 s, the end or beginning of an outage of Beat after 15 s, an
operator's action after 30 s, the watcher's look after 45 s.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from scheduler.dispatch import outcomes
from scheduler.dispatch.plan import plan
from scheduler.errors import BeatdeskError
from scheduler.events.schema import Event, RunQueued, run_event
from scheduler.history.recording.open_spans import OpenSpan, closed_by
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import Rows
from scheduler.ledger.holes import Absence, Life, Row, Surroundings, holes
from scheduler.ledger.lives import Change
from scheduler.ledger.spans import outlook
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Raw
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies, Spec, When, Window
from scheduler.rules.policies.window import is_paused
from scheduler.schedules import changes, edits, operations
from scheduler.schedules.raw_entry import RawEntry
from tests.support.builders import a_spec, cron, facts_of

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

Action = tuple[
    Literal["pause", "pause_for", "resume", "off", "on", "edit", "delete", "create"], int
]
"""What an operator does, with minutes of a pause or of a rule."""


def _accept_any_call(job: str, args: object, kwargs: object) -> None:
    """The catalogue of this world accepts every call."""


def _no_calendar(spec: Spec) -> None:
    """No schedule of this world names a calendar."""


@dataclass
class Plot:
    """The plot of a life: actions and outages by minute."""

    step: int
    catch_up: Literal["latest", "none"]
    window_minutes: int
    minutes: int
    actions: dict[int, Action] = field(default_factory=dict)
    outages: set[int] = field(default_factory=set)
    """Minutes at which Beat goes away, or comes back."""

    when: When | None = None
    """The rule; without one, every `step` minutes."""

    window: Window = field(default_factory=Window)
    calendar: Calendar | None = None
    """The calendar that the window names."""


Verdicts = dict[datetime, list[str]]
"""What the ledger says of each tick; exactly one word for each is right."""


class World:
    """The product: one entry, the history's rows and the open span, as pure data."""

    def __init__(self, plot: Plot, begin: datetime, *, watches: bool = True) -> None:
        self.plot = plot
        self.now = begin
        self.watches = watches
        self.entry: RawEntry | None = None
        self.rows = Rows()
        self.doubled: set[datetime] = set()
        self.spans: tuple[OpenSpan, ...] = ()
        self.lives: dict[str, list[Change]] = {}
        self.away_since: datetime | None = None
        self.absences: list[Absence] = []

    def run(self) -> None:
        """Live through the whole plot."""
        begin = self.now
        for minute in range(self.plot.minutes):
            start = begin + minute * MINUTE
            self._pass(start + SECOND)
            if minute in self.plot.outages:
                self._toggle(start + 15 * SECOND)
            if minute in self.plot.actions:
                with suppress(BeatdeskError):  # what is refused changes nothing
                    self._act(self.plot.actions[minute], start + 30 * SECOND)
            if self.watches:
                self._look(start + 45 * SECOND)

    def audit(self, until: datetime) -> list[Event]:
        """The verdicts that the watcher adds at the end, on ticks of the past without a row."""
        found: list[Event] = []
        for uid, made in self.lives.items():
            settled = made[-1].at
            if not made[-1].is_deletion and self.entry is not None:
                settled = self.entry.decode().meta.last_run_at or settled
            rows = [
                Row(row.tick, row.tick_to or row.tick)
                for row in self.rows.runs.values()
                if row.schedule_uid == uid and row.tick is not None
            ]
            life = Life(made, made[0].at, min(settled, until))
            surroundings = Surroundings({}, self.absences)
            found += holes(life, rows, set(), surroundings, self.now)
        return found

    def verdicts(self) -> Verdicts:
        """What the rows say of every tick."""
        verdicts: Verdicts = {}
        rows = [
            (row.state, row.reason, row.tick, row.tick_to, row.revision, row.schedule_uid)
            for row in self.rows.runs.values()
        ]
        rows += [
            (one.state, one.reason, one.first, one.last, one.revision, one.uid)
            for one in self.spans
        ]
        for state, reason, first, last, revision, uid in rows:
            assert first is not None
            word = state if reason is None else f"{state}: {reason}"
            tick = first
            while tick <= (last or first):
                if self._is_tick(tick, revision, uid):
                    verdicts.setdefault(tick, []).append(word)
                tick += MINUTE
        return verdicts

    def ranges(self) -> list[tuple[datetime, datetime, int]]:
        """First and last tick of each row, and the number of its ticks."""
        rows = [
            (row.tick, row.tick_to or row.tick, row.ticks)
            for row in self.rows.runs.values()
            if row.tick is not None
        ]
        return [*rows, *((span.first, span.last, span.ticks) for span in self.spans)]

    def _is_tick(self, tick: datetime, revision: int | None, uid: str | None) -> bool:
        made = next(
            one.schedule for one in self.lives[uid or ""] if one.schedule.revision == revision
        )
        step = int(made.when.crontab.split()[0].removeprefix("*/"))
        return tick.minute % step == 0

    def _pass(self, now: datetime) -> None:
        """Beat's pass, as long as anything is to be sent."""
        for _ in range(3):
            if self.away_since is not None or self.entry is None:
                return
            entry = self.entry.decode()
            if self.entry.score is None or not 0 <= self.entry.score <= now.timestamp():
                return
            decided = plan(entry, now, 0, [], self.plot.calendar)
            meta = outcomes.meta_after(entry.meta, decided, int(decided.counts_toward_max_runs))
            events: list[Event] = [
                outcomes.event_of(entry.schedule, verdict, now) for verdict in decided.verdicts
            ]
            if decided.send is not None:
                run = run_id(entry.schedule.uid, decided.send)
                facts = facts_of(entry.schedule, decided.send)
                events.append(run_event(RunQueued, run, 1, now, facts=facts))
            raw = self.entry.raw._replace(meta=codec.encode_meta(meta))
            self.entry = self.entry._replace(raw=raw, score=decided.score)
            self.record(events)

    def _toggle(self, now: datetime) -> None:
        if self.away_since is None:
            self.away_since = now
            return
        self.absences.append(Absence(self.away_since, now))
        self.away_since = None
        self._pass(now + SECOND)

    def _act(self, action: Action, now: datetime) -> None:
        """What an operator does; what the schedule's state does not allow is left out."""
        self.now = now
        kind, number = action
        edit = Edit(actor="ada", now=now)
        if kind == "create":
            if self.entry is None:
                self._create(edit)
            return
        if self.entry is None:
            return
        schedule = self.entry.decode().schedule
        paused = is_paused(schedule, now)
        if kind in ("pause", "pause_for") and schedule.enabled:
            until = None if kind == "pause" else now + number * MINUTE
            decide = operations.pausing(reason="why", until=until, edit=edit)
            self._apply(decide(self.entry))
        elif kind == "resume" and paused:
            self._apply(
                operations.resuming("life", "skip", _no_calendar, edit=edit)(self.entry).change
            )
        elif kind in ("off", "on") and schedule.enabled == (kind == "off"):
            self._apply(edits.switching(kind == "on", edit=edit)(self.entry))
        elif kind == "edit":
            spec = schedule.spec().model_copy(update={"when": cron(f"*/{number} * * * *")})
            decide = edits.editing(spec, _accept_any_call, revision=None, edit=edit)
            self._apply(decide(self.entry))
        elif kind == "delete":
            self._apply(edits.deleting(edit=edit)(self.entry))

    def _create(self, edit: Edit) -> None:
        plot = self.plot
        spec = a_spec(
            "life",
            when=plot.when or cron(f"*/{plot.step} * * * *"),
            policies=Policies(catch_up=plot.catch_up, catch_up_window=plot.window_minutes * 60.0),
            window=plot.window,
        )
        uid = f"00000000-0000-4000-8000-{len(self.lives):012d}"
        settled = changes.settled(spec, None, uid=uid, now=edit.now)
        schedule = changes.revised(settled, None, uid=uid, edit=edit)
        event = edits.saved(schedule, "created", edit)
        self.entry = RawEntry("life", Raw(None, None, None), False, None)
        self._apply(changes.written(schedule, None, self.entry.raw, edit.now, event))

    def _apply(self, change: object) -> None:
        if not isinstance(change, changes.Change):
            return
        made = self.lives.setdefault(change.schedule.uid, [])
        is_deletion = change.raw.definition is None
        made.append(Change(self.now, is_deletion, change.schedule))
        self.entry = None if is_deletion else RawEntry("life", change.raw, False, change.score)
        self.record([change.event, *change.also])

    def record(self, events: list[Event]) -> None:
        self.rows = fold(self.rows, events)
        closed = closed_by(events)
        self.spans = tuple(span for span in self.spans if span.id not in closed)
        if self.plot.when is None:
            self.doubled |= {tick for tick, words in self.verdicts().items() if len(words) > 1}

    def _look(self, now: datetime) -> None:
        """The watcher's look."""
        self.now = now
        away = self.away_since is not None and now - self.away_since >= 30 * SECOND
        if self.entry is None:
            self.spans = ()
            return
        self.spans = outlook(self.entry.decode(), now, beat_is_away=away).spans
