"""The check of an entry's further options before a change is saved that lets the entry fire.

Beatdesk's own schedules have a queue and a priority. Entries of plain RedBeat code, and those of
`beat_schedule`, may have any option of Celery's `apply_async`, and an edit takes them over. Beat
judges them too, at each tick: whoever writes to Redis passes by this check.
"""

import json

from scheduler.errors import Refused
from scheduler.events.schema import (
    Event,
    ScheduleDisabled,
    SchedulePaused,
    ScheduleReset,
    ScheduleTickKept,
    ScheduleTickSkipped,
)
from scheduler.messages import options as option_judge
from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule
from scheduler.rules.model.spec import Schedule

_ALWAYS_ALLOWED = (
    ScheduleDisabled,
    SchedulePaused,
    ScheduleReset,
    ScheduleTickKept,
    ScheduleTickSkipped,
)
"""Changes that start no tick, and the way back to what the code says."""


def check_saved_options(schedule: Schedule, entry: StoredSchedule | None, event: Event) -> None:
    """Raise Refused with option, value and remedy where no message can be made with an option.

    `schedule` is the schedule after the change of `event`, `entry` the replaced entry, None for a
    new schedule.
    """
    if entry is None or isinstance(event, _ALWAYS_ALLOWED):
        return
    options = codec.options_of(schedule, entry.definition)
    if codec.has_types({"options": options}, json.dumps(options)):
        from scheduler.redbeat.call import decoded

        options = decoded(options)
    fault = option_judge.fault_of(schedule.job, options)
    if fault is not None:
        raise Refused(f"Celery cannot send {schedule.name!r}: {fault}", field="options")
