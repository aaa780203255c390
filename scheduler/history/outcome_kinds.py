"""Kinds of outcomes, for reports and statistics: the states of runs and ticks in each kind."""

from typing import Any

from scheduler.history.tick_counts import ticks, ticks_in, verdict
from scheduler.rules.model.run_states import RunGroup, values_in

_STATES = {
    "succeeded": values_in(RunGroup.SUCCEEDED),
    "failed": values_in(RunGroup.FAILED),
    "missed": values_in(RunGroup.LATE),
    "skipped": values_in(RunGroup.SKIPPED),
}
KINDS = (*_STATES, "other")


def ticks_of(kind: str) -> Any:
    """Return the number of ticks of a kind, in SQL."""
    if kind in _STATES:
        return ticks_in(_STATES[kind])
    return ticks(verdict().not_in([state for states in _STATES.values() for state in states]))
