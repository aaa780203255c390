"""A saved schedule as the draft that shows it."""

from dataclasses import replace
from typing import Any

from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RruleWhen,
    Spec,
    When,
)
from webadmin.forms import policies, times
from webadmin.forms.draft import CRONTAB, EVERY, RRULE, Draft, pretty, split_seconds
from webadmin.forms.whens import zone_of


def drafted(spec: Spec, *, revision: int | None = None) -> Draft:
    """The draft that shows a saved schedule. Its parameters are split by `forms.arguments.split`,
    if they can be.
    """
    draft = Draft(
        name=spec.name,
        enabled=spec.enabled,
        job=spec.job,
        arguments="json",
        kwargs=pretty(spec.kwargs),
        args=pretty(spec.args),
        queue=spec.queue or "",
        priority="" if spec.priority is None else str(spec.priority),
        owner=spec.owner,
        tags=", ".join(spec.tags),
        description=spec.description,
        notes=spec.notes,
        revision="" if revision is None else str(revision),
        crontab=CRONTAB,
        every=EVERY,
        rrule=RRULE,
    )
    texts: dict[str, Any] = policies.texts(spec.policies, spec.window, zone_of(spec.when))
    return _with_rule(replace(draft, **texts), spec.when)


def _with_rule(draft: Draft, when: When) -> Draft:
    """The draft with the fields of the rule's kind filled in."""
    if isinstance(when, CrontabWhen):
        return replace(
            draft,
            kind="crontab",
            crontab=when.crontab,
            timezone=when.timezone,
            day_match=when.day_match,
            dst_gap=when.dst_gap,
            dst_repeat=when.dst_repeat,
        )
    if isinstance(when, IntervalWhen):
        number, unit = split_seconds(when.every)
        anchor = when.anchor.isoformat() if when.anchor else ""
        return replace(draft, kind="interval", every=number, unit=unit, anchor=anchor)
    if isinstance(when, OnceWhen):
        return replace(draft, kind="once", at=times.shown_moment(when.at, "UTC"))
    if isinstance(when, RruleWhen):
        start = times.shown_moment(when.dtstart, when.timezone)
        return replace(draft, kind="rrule", rrule=when.rrule, dtstart=start, timezone=when.timezone)
    return replace(
        draft, kind=""
    )  # a rule of RedBeat's own: the editor can replace it, not write it
