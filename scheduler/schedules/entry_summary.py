"""A summary of an entry, from which a filtered list decides whether to read the entry. Pure.

A summary may let through entries that do not belong to a list, since every entry shown is read and
examined. An entry that belongs to the list is never ruled out.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from scheduler.errors import UnreadableEntry
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Raw
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    Pause,
    Schedule,
)
from scheduler.rules.policies.window import holds
from scheduler.rules.ticks import next_tick
from scheduler.schedules.filters import Filter

_ONCE = datetime(2000, 1, 1, tzinfo=UTC)
"""An arbitrary moment: a crontab with a tick after it has a tick after every moment."""


class DefinitionFacts(NamedTuple):
    """The facts in definition and Beatdesk's own field, which change only with edits."""

    enabled: bool
    job: str
    tags: tuple[str, ...]
    paused: Pause | None
    is_endless: bool
    """Whether each tick is followed by another."""


class Fact(NamedTuple):
    """The facts cached about an entry."""

    content: int
    """A hash of the fields behind `definition`."""

    definition: DefinitionFacts | None
    """None for an unreadable entry."""

    is_readable: bool
    """Whether Beat's metadata can be read too."""

    has_last: bool
    """Whether Beat's metadata holds a last tick, from which ticks count."""


def fact(name: str, raw: Raw, *, static: bool, earlier: Fact | None) -> Fact:
    """Return the facts of an entry. `earlier` is the cached fact.

    A definition is decoded again only where its bytes have changed, since decoding is slow.
    """
    content = hash((raw.definition, raw.extra, static))
    definition = (
        earlier.definition
        if earlier is not None and earlier.content == content
        else _definition_facts(name, raw, static=static)
    )
    try:
        last = codec.decode_meta(raw.meta).last_run_at
    except UnreadableEntry:
        return Fact(content, definition, is_readable=False, has_last=False)
    return Fact(content, definition, is_readable=definition is not None, has_last=last is not None)


def may_pass(entry: Fact, filters: Filter, *, is_aside: bool) -> bool:
    """Whether a list with these filters may show the entry.

    `is_aside` is true for an entry that Beat has quarantined at some time.
    """
    definition = entry.definition
    if definition is None:
        return filters.state == "problem" and not (filters.job or filters.tag)
    if (filters.job and definition.job != filters.job) or (
        filters.tag and filters.tag not in definition.tags
    ):
        return False
    if filters.state == "problem":
        return is_aside or not entry.is_readable
    return _may_have_state(entry, definition, filters)


def _may_have_state(entry: Fact, definition: DefinitionFacts, filters: Filter) -> bool:
    if filters.state in ("enabled", "disabled"):
        return definition.enabled == (filters.state == "enabled")
    if filters.state == "all":
        return True
    paused = filters.now is not None and holds(definition.paused, filters.now)
    if filters.state == "paused":
        return definition.enabled and paused
    return definition.enabled and not paused and not (definition.is_endless and entry.has_last)


def _definition_facts(name: str, raw: Raw, *, static: bool) -> DefinitionFacts | None:
    try:
        schedule = codec.decode(name, raw._replace(meta=None), static=static).schedule
    except UnreadableEntry:
        return None
    return DefinitionFacts(
        enabled=schedule.enabled,
        job=schedule.job,
        tags=tuple(schedule.tags),
        paused=schedule.paused,
        is_endless=_is_endless(schedule),
    )


def _is_endless(schedule: Schedule) -> bool:
    """Whether no date, count or calendar can end the schedule."""
    window = schedule.window
    if window.ends_at is not None or window.max_runs is not None or window.calendar is not None:
        return False
    if isinstance(schedule.when, CrontabWhen):
        return next_tick(schedule.when, _ONCE) is not None
    return isinstance(schedule.when, IntervalWhen)
