"""A draft judged whole: what the form sees, what the rules say, what the catalogue knows. Writes
nothing.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from scheduler.catalogue.catalogue import Catalogue
from scheduler.errors import Refused
from scheduler.rules import check
from scheduler.rules.crontab import dialect
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    Schedule,
    Spec,
    When,
    Window,
)
from webadmin.forms.draft import Draft
from webadmin.forms.reading import Reading, read
from webadmin.forms.sentences import sentence


@dataclass(frozen=True)
class Review:
    """The schedule that was meant and everything that is wrong with it, by form field."""

    spec: Spec | None
    errors: dict[str, str]


def review(
    draft: Draft,
    saved: Schedule | None,
    catalogue: Catalogue,
    calendars: Collection[str],
    *,
    now: datetime,
) -> Review:
    """Judge a draft. The store judges again when it writes; here all faults are wanted at once.

    `calendars` are the names of those that there are. `saved` is the schedule that is edited: its
    name stays, and a call that plain RedBeat code wrote may stay too.
    """
    job = catalogue.get(draft.job.strip()) if draft.job.strip() else None
    reading = read(draft, job.parameters if job else None)
    errors = dict(reading.errors)
    if reading.window is not None:
        try:
            check.check_calendar_known(reading.window, saved.window if saved else None, calendars)
        except Refused as error:
            errors |= at_field(draft, error)
    for trial in _trials(draft, reading, saved, catalogue, now):
        try:
            trial()
        except Refused as error:
            for field, text in at_field(draft, error).items():
                errors.setdefault(field, text)
    return Review(reading.spec, errors)


def is_rule_of(saved: Schedule, when: When) -> bool:
    """Whether `when` is the rule that is saved, each `H` in its place."""
    settled = dialect.settle(when, saved.uid) if isinstance(when, CrontabWhen) else when
    return settled == saved.when


def at_field(draft: Draft, error: Refused) -> dict[str, str]:
    """The error under the name of the form's field that can mend it."""
    rule = {"interval": "every", "once": "at", "rrule": "rrule"}.get(draft.kind, "crontab")
    names = {"when": rule, "anchor": "every", "zone": "timezone"}
    field = error.field or ""
    return {names.get(field, field) or "form": sentence(str(error))}


def _trials(
    draft: Draft, reading: Reading, saved: Schedule | None, catalogue: Catalogue, now: datetime
) -> Iterator[Callable[[], object]]:
    """What can be asked of the parts that could be read."""
    name, job, when, args, kwargs = (
        draft.name.strip(),
        draft.job.strip(),
        reading.when,
        reading.args,
        reading.kwargs,
    )
    if name and saved is None:
        yield lambda: check.check_name(name)
    same_rule = (
        saved is not None
        and when is not None
        and is_rule_of(saved, when)
        and reading.window == saved.window
    )
    if when is not None and not same_rule:
        yield lambda: check.check_when(when, now=now)
    same_call = saved is not None and (saved.job, saved.args, saved.kwargs) == (job, args, kwargs)
    if args is not None and kwargs is not None and not same_call:
        yield lambda: check.check_arguments(args, kwargs)
        if job:
            yield lambda: catalogue.check_call(job, args, kwargs)
    if reading.spec is not None:
        rest = reading.spec.model_copy(update={"name": "checked-above", "args": [], "kwargs": {}})
        if same_rule:  # a finished schedule may be edited without being armed again
            rest = rest.model_copy(update={"when": IntervalWhen(every=60), "window": Window()})
        yield lambda: check.check_spec(rest, now=now)
