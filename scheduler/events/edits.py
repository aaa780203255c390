"""What people do, to schedules, calendars and dead letters, as events; a part of the vocabulary
in `schema`.
"""

from typing import Literal

from pydantic import AwareDatetime, ConfigDict

from scheduler.rules.calendars.exclusions import SavedCalendar
from scheduler.rules.model.spec import Frozen, Schedule


class Event(Frozen):
    """A fact. `at` is the wall time of whoever saw it happen."""

    model_config = ConfigDict(ser_json_timedelta="float")

    v: Literal[1] = 1
    at: AwareDatetime


class ScheduleEvent(Event):
    """A fact about a schedule: who did it, why, and the whole schedule as it stands after it
    (before, if deleted).
    """

    uid: str
    revision: int
    actor: str
    comment: str = ""
    schedule: Schedule


class ScheduleSaved(ScheduleEvent):
    """A schedule was created or edited."""

    kind: Literal["schedule.saved"] = "schedule.saved"
    action: Literal["created", "edited", "recovered"]
    """`recovered`: nobody did it now; the history had lost this revision, and Redis had it."""


class ScheduleEnabled(ScheduleEvent):
    """A schedule was switched on."""

    kind: Literal["schedule.enabled"] = "schedule.enabled"


class ScheduleDisabled(ScheduleEvent):
    """A schedule was switched off."""

    kind: Literal["schedule.disabled"] = "schedule.disabled"


class ScheduleDeleted(ScheduleEvent):
    """A schedule was deleted."""

    kind: Literal["schedule.deleted"] = "schedule.deleted"


class SchedulePaused(ScheduleEvent):
    """A schedule was paused: nothing fires until it is resumed, or until the pause ends by
    itself.
    """

    kind: Literal["schedule.paused"] = "schedule.paused"


class ScheduleResumed(ScheduleEvent):
    """A pause was ended by somebody; `missed` says what became of the ticks in it."""

    kind: Literal["schedule.resumed"] = "schedule.resumed"
    missed: Literal["skip", "latest", "all"] = "skip"


class ScheduleTickSkipped(ScheduleEvent):
    """One coming tick is not to run."""

    kind: Literal["schedule.tick_skipped"] = "schedule.tick_skipped"
    tick: AwareDatetime


class ScheduleTickKept(ScheduleEvent):
    """A tick that was to be skipped runs after all."""

    kind: Literal["schedule.tick_kept"] = "schedule.tick_kept"
    tick: AwareDatetime


class ScheduleRestored(ScheduleEvent):
    """An earlier revision became the newest one again."""

    kind: Literal["schedule.restored"] = "schedule.restored"
    restored: int


class ScheduleReset(ScheduleEvent):
    """The override on a static entry was taken off: the schedule is as code says."""

    kind: Literal["schedule.reset"] = "schedule.reset"


class ScheduleAdopted(ScheduleEvent):
    """An entry of plain RedBeat code became an operator's."""

    kind: Literal["schedule.adopted"] = "schedule.adopted"


class ScheduleHealed(ScheduleEvent):
    """Redis had lost or damaged the schedule, and it was put back as the history knew it."""

    kind: Literal["schedule.healed"] = "schedule.healed"


class CalendarEvent(Event):
    """A fact about an exclusion calendar, with the whole calendar as it stands after it (before, if
    deleted).
    """

    uid: str
    revision: int
    actor: str
    comment: str = ""
    calendar: SavedCalendar


class CalendarSaved(CalendarEvent):
    """A calendar was made or edited."""

    kind: Literal["calendar.saved"] = "calendar.saved"
    action: Literal["created", "edited", "recovered"]
    """`recovered`: nobody did it now; the history had lost this revision, and Redis had it."""


class CalendarDeleted(CalendarEvent):
    """A calendar was deleted."""

    kind: Literal["calendar.deleted"] = "calendar.deleted"


class CalendarHealed(CalendarEvent):
    """Redis had lost or damaged the calendar, and it was put back as the history knew it."""

    kind: Literal["calendar.healed"] = "calendar.healed"


class DeadLetterFact(Frozen):
    """What an event says of one dead letter: its id, and what it was about, as far as it could
    be read.
    """

    id: str
    kind: str = ""
    about: str = ""
    error: str = ""


class DeadLetterEvent(Event):
    """A fact about dead letters, at most a few hundred of them: who acted on them, and why."""

    actor: str
    comment: str = ""


class DeadLettersRetried(DeadLetterEvent):
    """Dead letters were sent back to the recorder."""

    kind: Literal["dead_letters.retried"] = "dead_letters.retried"
    letters: list[DeadLetterFact]
    """The last field: a script adds the letters to the encoded event."""


class DeadLettersDropped(DeadLetterEvent):
    """Dead letters were deleted for good."""

    kind: Literal["dead_letters.dropped"] = "dead_letters.dropped"
    letters: list[DeadLetterFact]
    """The last field: a script adds the letters to the encoded event."""
