"""Families: entries whose runs differ in schedule, arguments and ticks only.

Ten thousand schedules of a job with the same options and policies share a message, an event and a
set of rules. The common parts are made once, so that an entry new to Beat costs little more than an
entry met before.
"""

from collections.abc import Callable
from datetime import timedelta
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple, Protocol
from uuid import uuid4

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.fast import queued_event
from scheduler.beat.fast.single_tick import is_plain
from scheduler.beat.fast.usual_form import EntryTexts, Layout, UsualForm
from scheduler.dispatch import message_options
from scheduler.publishing.calls import Call
from scheduler.publishing.message_template import Template
from scheduler.redbeat.call import StoredCall
from scheduler.redbeat.codec import StoredSchedule
from scheduler.redbeat.usual_entry import Shape, UsualEntry
from scheduler.rules.model.spec import RedBeatWhen, Schedule
from scheduler.rules.policies.catch_up import surely_runs_within
from scheduler.runs.headers import is_job
from scheduler.runs.lease_record import owner_text

MOST_FAMILIES = 1000


class Templates(Protocol):
    """The renderer's templates; templates of the same `generation` belong together."""

    generation: object

    def template(self, call: Call) -> Template | None:
        """Return the template for the call's message; None where there is none yet."""


class Family(NamedTuple):
    """The common parts of the runs of a family."""

    template: Template
    queue: bytes
    layout: Layout
    has_event: bool
    may_overlap: bool
    within: timedelta
    """The age below which the only due tick always runs."""

    pause_after: int | None
    limit: int
    """The most bytes of arguments in an event."""

    def form(self, entry: DueEntry, name: str, usual: UsualEntry) -> UsualForm | None:
        """Return the form of an entry's runs; None for runs unlike those of the family.

        Raises Unsendable.
        """
        own = {"uid": f'"{usual.uid}"', "revision": str(usual.revision)}
        message = self.template.argument_texts(usual.shape.task, usual.args, usual.kwargs)
        message["schedule"] = quoted(name)
        message |= own
        event: dict[str, str] = {}
        if self.has_event:
            texts = queued_event.schedule_texts(name, usual.args, usual.kwargs, self.limit)
            if texts is None:
                return None
            event = {"args": texts[0], "kwargs": texts[1], "schedule": texts[2], **own}
        lease = owner_text(usual.uid, name, pause_after=self.pause_after)
        return self.layout.form(EntryTexts(entry, usual.uid, lease), message, event)


class Families:
    """The families of a Beat process, for a single generation of templates.

    `limit` is the most bytes of arguments in an event.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._generation: object = None
        self._families: dict[Shape, Family | None] = {}

    def family(
        self,
        shape: Shape,
        templates: Templates,
        first: Callable[[], tuple[StoredSchedule, StoredCall]],
    ) -> Family | None:
        """Return the family of a shape; None where the runs need the full path.

        A run needs the full path where a rule has a say, where the run takes more than a message
        into a queue, or until a first message has been made. `first` decodes an entry of the family
        as a whole.
        """
        if self._generation is not templates.generation or len(self._families) >= MOST_FAMILIES:
            self._families.clear()
            self._generation = templates.generation
        if shape in self._families:
            return self._families[shape]
        stored, stored_call = first()
        schedule = stored.schedule
        if not _is_always_alike(schedule):
            self._families[shape] = None
            return None
        marks = _Marks()
        options = message_options.beat_options(marks.on(schedule), stored_call.options)
        call = Call(schedule.job, [], {}, options, "")
        template = templates.template(call)
        if template is None:
            return None
        family = self._made(schedule, template, call, marks)
        self._families[shape] = family
        return family

    def _made(
        self, schedule: Schedule, template: Template, call: Call, marks: "_Marks"
    ) -> Family | None:
        message = template.frame(call)
        queue = template.only_queue
        has_event = is_job(schedule.job)
        event = queued_event.frame(schedule.job, template.routing_key) if has_event else ""
        message = None if message is None else marks.replaced(message)
        if message is None or event is None or queue is None:
            return None
        return Family(
            template=template,
            queue=queue,
            layout=Layout(message, event),
            has_event=has_event,
            may_overlap=schedule.policies.overlap == "allow",
            within=surely_runs_within(schedule.policies),
            pause_after=schedule.policies.pause_after_failures,
            limit=self._limit,
        )


def _is_always_alike(schedule: Schedule) -> bool:
    """Whether no rule but the overlap policy has a say in the schedule's runs."""
    if isinstance(schedule.when, RedBeatWhen) or schedule.policies.starting_deadline is not None:
        return False
    return is_plain(schedule)


class _Marks:
    """Values of a schedule found nowhere else, which mark their places in a text."""

    def __init__(self) -> None:
        self._name, self._uid = uuid4().hex, str(uuid4())
        self._revision = uuid4().int % 10**16 + 10**16

    def on(self, schedule: Schedule) -> Schedule:
        """Return the schedule with the marks as name, uid and revision."""
        return schedule.model_copy(
            update={"name": self._name, "uid": self._uid, "revision": self._revision}
        )

    def replaced(self, text: str) -> str | None:
        """Return a frame with places for the marks; None unless each mark occurs exactly once."""
        places = {
            f'"{self._name}"': "%(schedule)s",
            f'"{self._uid}"': "%(uid)s",
            f"{self._revision}": "%(revision)s",
        }
        if any(text.count(mark) != 1 for mark in places):
            return None
        for mark, place in places.items():
            text = text.replace(mark, place)
        return text
