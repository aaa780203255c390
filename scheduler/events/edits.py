"""Events about edits of schedules, calendars and dead letters, a part of the event vocabulary.

schedule.saved              a schedule was created or edited, or a lost revision was recovered
schedule.enabled            a schedule was switched on
schedule.disabled           a schedule was switched off
schedule.deleted            a schedule was deleted
schedule.paused             a schedule was paused
schedule.resumed            an operator ended a pause
schedule.tick_skipped       an operator marked a coming tick to be skipped
schedule.tick_kept          an operator took such a mark back
schedule.restored           an earlier revision became the current one
schedule.reset              an operator removed the override of a static entry
schedule.adopted            an operator adopted an entry of plain RedBeat code
schedule.healed             the healer restored a schedule that Redis had lost or damaged
calendar.saved              a calendar was created or edited, or a lost revision was recovered
calendar.deleted            a calendar was deleted
calendar.healed             the healer restored a calendar that Redis had lost or damaged
dead_letters.retried        an operator sent dead letters back to the recorder
dead_letters.dropped        an operator deleted dead letters for good
"""

from typing import Literal

from pydantic import AwareDatetime, ConfigDict

from scheduler.rules.calendars.exclusions import SavedCalendar
from scheduler.rules.model.spec import Frozen, Schedule


class Event(Frozen):
    """A fact. `at` is the time on the clock of the process that observed the fact."""

    model_config = ConfigDict(ser_json_timedelta="float")

    v: Literal[1] = 1
    at: AwareDatetime


class ScheduleEvent(Event):
    """A change of a schedule: actor, comment, and the whole schedule after the change.

    `schedule.deleted` has the schedule before its deletion.
    """

    uid: str
    revision: int
    actor: str
    comment: str = ""
    schedule: Schedule


class ScheduleSaved(ScheduleEvent):
    """A schedule was created or edited, or a revision missing in the history was recovered."""

    kind: Literal["schedule.saved"] = "schedule.saved"
    action: Literal["created", "edited", "recovered"]
    """`recovered`: no operator acted; the history had lost a revision that Redis still had."""


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
    """A schedule was paused: no tick runs until an operator resumes the schedule, or `until`."""

    kind: Literal["schedule.paused"] = "schedule.paused"


class ScheduleResumed(ScheduleEvent):
    """An operator ended a pause; `missed` is the choice for the ticks during the pause."""

    kind: Literal["schedule.resumed"] = "schedule.resumed"
    missed: Literal["skip", "latest", "all"] = "skip"


class ScheduleTickSkipped(ScheduleEvent):
    """An operator marked a coming tick to be skipped."""

    kind: Literal["schedule.tick_skipped"] = "schedule.tick_skipped"
    tick: AwareDatetime


class ScheduleTickKept(ScheduleEvent):
    """An operator took the mark back: the tick runs."""

    kind: Literal["schedule.tick_kept"] = "schedule.tick_kept"
    tick: AwareDatetime


class ScheduleRestored(ScheduleEvent):
    """An earlier revision, `restored`, became the current one, as a new revision."""

    kind: Literal["schedule.restored"] = "schedule.restored"
    restored: int


class ScheduleReset(ScheduleEvent):
    """An operator removed the override of a static entry: the schedule follows the code again."""

    kind: Literal["schedule.reset"] = "schedule.reset"


class ScheduleAdopted(ScheduleEvent):
    """An operator adopted an entry of plain RedBeat code, to edit the schedule in Beatdesk."""

    kind: Literal["schedule.adopted"] = "schedule.adopted"


class ScheduleHealed(ScheduleEvent):
    """The healer restored, from the history, a schedule that Redis had lost or damaged."""

    kind: Literal["schedule.healed"] = "schedule.healed"


class CalendarEvent(Event):
    """A change of an exclusion calendar: actor, comment, and the whole calendar after the change.

    `calendar.deleted` has the calendar before its deletion.
    """

    uid: str
    revision: int
    actor: str
    comment: str = ""
    calendar: SavedCalendar


class CalendarSaved(CalendarEvent):
    """A calendar was created or edited, or a revision missing in the history was recovered."""

    kind: Literal["calendar.saved"] = "calendar.saved"
    action: Literal["created", "edited", "recovered"]
    """`recovered`: no operator acted; the history had lost a revision that Redis still had."""


class CalendarDeleted(CalendarEvent):
    """A calendar was deleted."""

    kind: Literal["calendar.deleted"] = "calendar.deleted"


class CalendarHealed(CalendarEvent):
    """The healer restored, from the history, a calendar that Redis had lost or damaged."""

    kind: Literal["calendar.healed"] = "calendar.healed"


class DeadLetterFact(Frozen):
    """A dead letter as an event describes one.

    `about` names the run, schedule, calendar or report; `kind` and `about` are empty for an
    unreadable letter.
    """

    id: str
    kind: str = ""
    about: str = ""
    error: str = ""


class DeadLetterEvent(Event):
    """An operator's action on dead letters, at most a few hundred: actor, comment, and letters."""

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
