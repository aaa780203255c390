"""The states of a run, with all facts derived from the state alone. Pure.

| group | states | meaning |
| --- | --- | --- |
| waiting | queued | a worker has not begun |
| active | running, retrying | a worker has begun, and the run has not ended |
| succeeded | succeeded | the job returned |
| failed | failed, lost | the job failed for good, or its worker is gone |
| late | missed, expired | nobody could run the tick in time |
| skipped | skipped | a policy decided against the run |
| cancelled | revoked | somebody ended the run |

Every other module reads a state's group, finality, words and colour here. Templates take the
members from the global `RunState`, and icons and colours from `webadmin.present.state_look`.
"""

from enum import StrEnum


class RunGroup(StrEnum):
    """States with a common count, drawing and judgement; the style sheet has a class for each."""

    WAITING = "waiting"
    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LATE = "late"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class RunState(StrEnum):
    """A run's state as written in SQL, JSON and commands, in the order of commands' choices."""

    group: RunGroup
    label: str
    colour: str
    icon: str

    def __new__(cls, value: str, group: RunGroup, label: str, colour: str, icon: str) -> "RunState":
        """`label`, `colour` and `icon` are shown together: a colour is never the only sign."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.group = group
        member.label = label
        member.colour = colour
        member.icon = icon
        return member

    QUEUED = "queued", RunGroup.WAITING, "Queued", "azure", "inbox"
    RUNNING = "running", RunGroup.ACTIVE, "Running", "blue", "loader"
    RETRYING = "retrying", RunGroup.ACTIVE, "Retrying", "yellow", "repeat"
    SUCCEEDED = "succeeded", RunGroup.SUCCEEDED, "Succeeded", "green", "circle-check"
    FAILED = "failed", RunGroup.FAILED, "Failed", "red", "alert-circle"
    SKIPPED = "skipped", RunGroup.SKIPPED, "Skipped", "secondary", "player-skip-forward"
    MISSED = "missed", RunGroup.LATE, "Missed", "orange", "calendar-off"
    EXPIRED = "expired", RunGroup.LATE, "Expired", "orange", "hourglass"
    REVOKED = "revoked", RunGroup.CANCELLED, "Cancelled", "secondary", "ban"
    LOST = "lost", RunGroup.FAILED, "Lost", "red", "zoom-question"

    @property
    def is_final(self) -> bool:
        """Whether a run never leaves this state."""
        return self.group not in (RunGroup.WAITING, RunGroup.ACTIVE)

    @property
    def is_without_run(self) -> bool:
        """Whether the state is a verdict on a tick without a run: no job can be run again."""
        return self in (RunState.SKIPPED, RunState.MISSED)

    @property
    def shows_error(self) -> bool:
        """Whether the error of the run is news to an operator."""
        return self.group is RunGroup.FAILED or self is RunState.RETRYING

    @property
    def terminal_colour(self) -> str | None:
        """Return the colour in a terminal, where fewer exist; None for usual states."""
        return {"azure": None, "secondary": None, "orange": "yellow"}.get(self.colour, self.colour)


STATES: tuple[str, ...] = tuple(state.value for state in RunState)
"""The values, for choices in commands and forms."""

FINAL: frozenset[str] = frozenset(state.value for state in RunState if state.is_final)
"""The values of final states."""


def state_of(value: str) -> RunState | None:
    """Return the state with this value; None for a state of a later version."""
    return RunState._value2member_map_.get(value)  # type: ignore[return-value]


def values_in(*groups: RunGroup) -> tuple[str, ...]:
    """Return the values of the states in these groups, for comparison in SQL."""
    return tuple(state.value for state in RunState if state.group in groups)


def is_without_run(value: str) -> bool:
    """Whether this state's tick had no run; False for a state of a later version."""
    state = state_of(value)
    return state is not None and state.is_without_run
