"""The setting `HISTORY_KEEP`: the age of ended runs at their deletion, by state and schedule. Pure.

An entry is `STATE AGE` or `SCHEDULE:STATE AGE`; `all` stands for every final state. For a run the
most specific entry counts: its schedule and state, its schedule, its state, all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from scheduler.settings.job_limits import age_and_place

STATES = ("succeeded", "failed", "skipped", "missed", "expired", "revoked", "lost")
"""The final states: `rules.model.run_states.FINAL`, repeated here because its floor is higher."""

EVERY_STATE = "all"

_FORM = "STATE AGE or SCHEDULE:STATE AGE, such as succeeded 30d or nightly-report:all 365d"
_SCHEDULE = re.compile(r"[^\s,:]{1,255}")


@dataclass(frozen=True, slots=True)
class KeepRule:
    """The age from which runs with the final `state` are deleted; None stands for every schedule,
    every state.
    """

    schedule: str | None
    state: str | None
    age: timedelta


@dataclass(frozen=True, slots=True)
class Selection:
    """Runs to delete: of one `schedule`, or of all except `exempt`, with one of the final states,
    and older than `age`.
    """

    states: tuple[str, ...]
    schedule: str | None
    exempt: tuple[str, ...]
    age: timedelta


def keep_rule(text: str) -> KeepRule:
    """Return a single entry of `HISTORY_KEEP`. Raises ValueError with the fault."""
    place, age = age_and_place(text, _FORM)
    schedule, mark, state = place.rpartition(":")
    if mark and not _SCHEDULE.fullmatch(schedule):
        raise ValueError(f"{schedule!r} is not the name of a schedule; write {_FORM}")
    if state != EVERY_STATE and state not in STATES:
        raise ValueError(f"{state!r} is none of {', '.join((*STATES, EVERY_STATE))}")
    return KeepRule(schedule or None, None if state == EVERY_STATE else state, age)


def selections(entries: Iterable[str]) -> list[Selection]:
    """Return the selections of these entries; of two entries for one place, the last counts."""
    ages = {(rule.schedule, rule.state): rule.age for rule in map(keep_rule, entries)}
    schedules = sorted({schedule for schedule, _ in ages if schedule is not None})
    grouped: dict[tuple[str | None, tuple[str, ...], timedelta], list[str]] = {}
    for state in STATES:
        own = [name for name in schedules if _age(ages, name, state) is not None]
        for schedule, exempt in [(None, tuple(own)), *((name, ()) for name in own)]:
            age = _age(ages, schedule, state)
            if age is not None:
                grouped.setdefault((schedule, exempt, age), []).append(state)
    return [
        Selection(tuple(states), schedule, exempt, age)
        for (schedule, exempt, age), states in grouped.items()
    ]


def _age(
    ages: dict[tuple[str | None, str | None], timedelta], schedule: str | None, state: str
) -> timedelta | None:
    return ages.get((schedule, state), ages.get((schedule, None)))
