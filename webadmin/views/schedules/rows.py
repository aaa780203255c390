"""A row of the schedule list, ready to print: bars, words, problems. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.rules.explain.words import describe
from scheduler.rules.model.run_states import RunGroup, state_of
from scheduler.rules.model.spec import (
    CrontabWhen,
    Pause,
    RruleWhen,
    Schedule,
    When,
)
from scheduler.rules.policies.window import is_paused
from scheduler.schedules.store import ScheduleRow
from webadmin.forms.sentences import sentence
from webadmin.views.schedules.recent import LastResult

BAR_WIDTH, BAR_GAP, BAR_HEIGHT = 4, 2, 20
_DRAWN_BY_DURATION = (RunGroup.WAITING, RunGroup.ACTIVE, RunGroup.SUCCEEDED)


class Drawn(Protocol):
    """A run that is drawn as a bar; `duration` is in seconds."""

    @property
    def state(self) -> str:
        """The run's state."""

    @property
    def duration(self) -> float | None:
        """The length of its last attempt."""


@dataclass(frozen=True)
class Bars:
    """Runs as bars, oldest left: one SVG path for each group of states, and a text alternative."""

    width: int
    paths: tuple[tuple[str, str], ...]
    words: str


@dataclass(frozen=True)
class Row:
    """A schedule in the list. An entry with a `problem` is unreadable and has no schedule."""

    name: str
    schedule: Schedule | None
    problem: str | None
    words: str
    expression: str
    zone: str | None
    next: datetime | None
    last: LastResult | None
    bars: Bars | None
    diverged: bool = False
    code_has_changed: bool = False
    """Whether the code's definition has changed since the override was made."""

    paused: Pause | None = None
    """The current pause; None for an expired pause."""

    finished: bool = False
    """Whether no tick is left: after a one-off's run, or after the end of the window."""


def row(listed: ScheduleRow, runs: Sequence[LastResult], now: datetime) -> Row:
    """Return the row of an entry; `runs` are the last runs, newest first."""
    schedule = listed.schedule
    when = listed.schedule.when if listed.schedule else None
    return Row(
        name=listed.name,
        schedule=listed.schedule,
        problem=sentence(listed.problem) if listed.problem else None,
        words=describe(when) if when else "",
        expression=expression(when) if when else "",
        zone=when.timezone if isinstance(when, CrontabWhen | RruleWhen) else None,
        next=listed.next,
        last=runs[0] if runs else None,
        bars=bars(runs) if runs else None,
        diverged=listed.diverged,
        code_has_changed=listed.code_has_changed,
        finished=schedule is not None
        and schedule.enabled
        and schedule.paused is None
        and listed.next is None,
        paused=schedule.paused
        if schedule is not None and schedule.enabled and is_paused(schedule, now)
        else None,
    )


def expression(when: When) -> str:
    """Return the rule's own notation; empty for rules without a notation in one line."""
    if isinstance(when, RruleWhen):
        return when.rrule
    return when.crontab if isinstance(when, CrontabWhen) else ""


def bars(runs: Sequence[Drawn]) -> Bars:
    """Return the bars of `runs`, given newest first.

    The height is the duration relative to the longest run; a failure has the full height.
    """
    longest = max((run.duration or 0 for run in runs), default=0)
    drawn: dict[str, str] = {}
    for place, run in enumerate(reversed(runs)):
        state = state_of(run.state)
        group = state.group if state is not None else RunGroup.ACTIVE
        height = _height(run.duration, longest) if group in _DRAWN_BY_DURATION else BAR_HEIGHT
        left = place * (BAR_WIDTH + BAR_GAP)
        path = _hollow(left) if group is RunGroup.LATE else _bar(left, BAR_HEIGHT, height)
        if group is RunGroup.FAILED:  # two pieces: a sign beside the colour
            path = _bar(left, BAR_HEIGHT, 4) + _bar(left, BAR_HEIGHT - 6, BAR_HEIGHT - 6)
        drawn[group.value] = drawn.get(group.value, "") + path
    return Bars(len(runs) * (BAR_WIDTH + BAR_GAP) - BAR_GAP, tuple(drawn.items()), in_words(runs))


def in_words(runs: Sequence[Drawn]) -> str:
    """Return the last runs by state, in words: 'last 12 runs: 11 succeeded, 1 failed'."""
    counts: dict[str, int] = {}
    for run in runs:
        counts[run.state] = counts.get(run.state, 0) + 1
    parts = ", ".join(
        f"{count} {state}" for state, count in sorted(counts.items(), key=_most_first)
    )
    return f"last run: {runs[0].state}" if len(runs) == 1 else f"last {len(runs)} runs: {parts}"


def by_uid(listed: Sequence[ScheduleRow]) -> list[str]:
    """Return the ids of the readable schedules, for queries of the history."""
    return [item.schedule.uid for item in listed if item.schedule]


def rows(
    listed: Sequence[ScheduleRow], runs: Mapping[str, Sequence[LastResult]], now: datetime
) -> list[Row]:
    """Return the rows of a page. `runs` are by schedule id, newest first."""
    return [
        row(item, runs.get(item.schedule.uid, ()) if item.schedule else (), now) for item in listed
    ]


def _bar(left: int, foot: int, height: int) -> str:
    """Return the SVG path of a bar: a broad line, shorter in text than a box."""
    return f"M{left + BAR_WIDTH // 2} {foot}v-{height}"


def _hollow(left: int) -> str:
    return f"M{left} {BAR_HEIGHT}v-{BAR_HEIGHT}h{BAR_WIDTH}v{BAR_HEIGHT}z"


def _height(duration: float | None, longest: float) -> int:
    return max(4, round((duration or 0) / longest * BAR_HEIGHT)) if longest else BAR_HEIGHT // 2


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
