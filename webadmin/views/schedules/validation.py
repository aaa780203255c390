"""A draft judged whole: what the form sees, what the rules say, what the catalogue knows. Writes
nothing.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduler.catalogue.catalogue import Catalogue
from scheduler.errors import Refused
from scheduler.rules import check
from scheduler.rules.check import CheckedSpec
from scheduler.rules.crontab import dialect
from scheduler.rules.model.spec import CrontabWhen, Schedule, When
from webadmin.forms.draft import Draft
from webadmin.forms.sentences import sentence


@dataclass(frozen=True)
class Review:
    """The schedule that may be saved, or None and everything that is wrong, by form field."""

    checked: CheckedSpec | None
    errors: dict[str, str]


class _Refusals:
    """Collects what the rules and the catalogue refuse."""

    def __init__(self) -> None:
        self.found: list[Refused] = []

    def check(self, judge: Callable[..., object], *values: Any, **options: Any) -> bool:
        """Whether `judge` has nothing to refuse; what it refuses is noted."""
        try:
            judge(*values, **options)
        except Refused as error:
            self.found.append(error)
            return False
        return True

    def by_field(self, draft: Draft) -> dict[str, str]:
        """The first fault at each field of the form; what could not be read comes first."""
        errors = dict(draft.errors)
        for error in self.found:
            errors.setdefault(draft.at_field(error.field), sentence(str(error)))
        return errors


def review(
    draft: Draft,
    saved: Schedule | None,
    catalogue: Catalogue,
    calendars: Collection[str],
    *,
    now: datetime,
) -> Review:
    """Judge a draft, and name all faults at once.

    `calendars` are the names of those that there are. `saved` is the schedule that is edited: its
    name stays, a rule that is finished may stay, and so may a call that plain RedBeat code wrote.
    """
    refusals = _Refusals()
    if draft.window is not None:
        refusals.check(
            check.check_calendar_exists, draft.window, saved.window if saved else None, calendars
        )
    if draft.name and saved is None:
        refusals.check(check.check_name, draft.name)
    if draft.when is not None and (saved is None or not _keeps_rule(draft, draft.when, saved)):
        fires = refusals.check(check.check_when, draft.when, now=now)
        if fires and draft.spec is not None:
            refusals.check(check.check_window, draft.spec, now=now)
    _judge_call(draft, saved, catalogue, refusals)
    if draft.spec is not None:
        refusals.check(check.check_policies, draft.spec.policies)
        refusals.check(check.check_queue, draft.spec.queue)
        refusals.check(check.check_texts, draft.spec)
    errors = refusals.by_field(draft)
    if errors or draft.spec is None:
        return Review(None, errors)
    return Review(CheckedSpec(draft.spec, None if saved is None else saved.revision), {})


def is_rule_of(saved: Schedule, when: When) -> bool:
    """Whether `when` is the rule that is saved, each `H` in its place."""
    settled = dialect.settle(when, saved.uid) if isinstance(when, CrontabWhen) else when
    return settled == saved.when


def _keeps_rule(draft: Draft, when: When, saved: Schedule) -> bool:
    """Whether rule and window are those that are saved."""
    return draft.window == saved.window and is_rule_of(saved, when)


def at_field(draft: Draft, error: Refused) -> dict[str, str]:
    """The error under the name of the form's field that can mend it."""
    return {draft.at_field(error.field): sentence(str(error))}


def _judge_call(
    draft: Draft, saved: Schedule | None, catalogue: Catalogue, refusals: _Refusals
) -> None:
    """The job and its arguments, where they are not those that are saved."""
    job, args, kwargs = draft.job, draft.args, draft.kwargs
    if args is None or kwargs is None:
        return
    if saved is not None and (saved.job, saved.args, saved.kwargs) == (job, args, kwargs):
        return
    refusals.check(check.check_arguments, args, kwargs)
    if job:
        refusals.check(check.check_job, job)
        refusals.check(catalogue.check_call, job, args, kwargs)
