"""Events about ticks that became no run, a part of the event vocabulary.

ticks.missed    ticks that could not run: absence, deadline, coalesced, broker
ticks.skipped   ticks that did not run by a policy or for an operator
"""

from typing import Literal

from pydantic import AwareDatetime, Field

from scheduler.events.edits import Event


class TicksEvent(Event):
    """A verdict on `ticks` ticks without a run, from `tick_from` to `tick_to`."""

    schedule: str
    schedule_uid: str
    revision: int
    job: str
    reason: str
    tick_from: AwareDatetime
    tick_to: AwareDatetime
    ticks: int = Field(ge=1)
    actor: str | None = None
    """The operator who decided about these ticks; None for a verdict by a policy."""


class TicksMissed(TicksEvent):
    """Ticks that could not run.

    `scheduler_down`: no Beat was running; `deadline`: too late by the catch-up window or the
    starting deadline; `coalesced`: replaced by a later tick; `broker`: the broker was unreachable;
    `unrecorded`: nothing is recorded of them, because events were lost.
    """

    kind: Literal["ticks.missed"] = "ticks.missed"
    reason: Literal["scheduler_down", "deadline", "coalesced", "broker", "unrecorded"]


class TicksSkipped(TicksEvent):
    """Ticks that did not run by a policy, or by an operator's decision.

    `disabled`: the schedule was switched off.
    """

    kind: Literal["ticks.skipped"] = "ticks.skipped"
    reason: Literal["overlap", "paused", "disabled", "window", "calendar", "operator", "finished"]
