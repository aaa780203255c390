"""The review of a draft by the form, the rules and the catalogue. Writes nothing."""

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
    """A schedule that may be saved, or None with all error messages by form field."""

    checked: CheckedSpec | None
    errors: dict[str, str]


class _Refusals:
    """The refusals of the rules and the catalogue."""

    def __init__(self) -> None:
        self.found: list[Refused] = []

    def check(self, judge: Callable[..., object], *values: Any, **options: Any) -> bool:
        """Whether `judge` accepts the values; a refusal is recorded."""
        try:
            judge(*values, **options)
        except Refused as error:
            self.found.append(error)
            return False
        return True

    def by_field(self, draft: Draft) -> dict[str, str]:
        """Return the first error at each form field; reading errors come before refusals."""
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
    """Review a draft and report all errors at once.

    `calendars` are the names of the existing calendars. `saved` is the schedule in the editor;
    unchanged parts of a saved schedule are not checked again: name, finished rule, and a call from
    plain RedBeat code.
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
    """Whether `when` is the saved rule, with `H` resolved as for the saved schedule."""
    settled = dialect.settle(when, saved.uid) if isinstance(when, CrontabWhen) else when
    return settled == saved.when


def _keeps_rule(draft: Draft, when: When, saved: Schedule) -> bool:
    """Whether rule and window equal the saved ones."""
    return draft.window == saved.window and is_rule_of(saved, when)


def at_field(draft: Draft, error: Refused) -> dict[str, str]:
    """Return the error message by the form field to correct."""
    return {draft.at_field(error.field): sentence(str(error))}


def _judge_call(
    draft: Draft, saved: Schedule | None, catalogue: Catalogue, refusals: _Refusals
) -> None:
    """Check the job and the arguments, unless both are unchanged."""
    job, args, kwargs = draft.job, draft.args, draft.kwargs
    if args is None or kwargs is None:
        return
    if saved is not None and (saved.job, saved.args, saved.kwargs) == (job, args, kwargs):
        return
    refusals.check(check.check_arguments, args, kwargs)
    if job:
        refusals.check(check.check_job, job)
        refusals.check(catalogue.check_saved_call, job, args, kwargs)
