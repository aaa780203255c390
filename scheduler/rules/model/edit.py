"""Actor, time and reason of an edit, carried by every edit of schedules and calendars."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scheduler.rules.model.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The circumstances of one edit.

    `actor` is an e-mail address, or `cli:` and the name of a user. `now` is read once, where the
    edit begins, and is the time of all resulting changes. `comment` is the reason, in the actor's
    words.
    """

    actor: str
    now: datetime
    comment: str = ""
    role: str | None = None
    """The actor's role for everything; None for whoever has a shell on the machine, who may all."""

    approve: Callable[[str, Spec], str | None] | None = None
    """The approval of a schedule's call, by the schedule's id; None where the job needs none."""
