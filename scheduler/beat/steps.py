"""What is to be done about one entry, and the same as `fire.lua` takes it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scheduler.beat.due_entries import DueEntry
from scheduler.publishing.calls import Command
from scheduler.rules.model.spec import Schedule

NO_LEASE: tuple[str, str, str] = ("", "", "0")
"""In place of a run, what is known of it, and until when it is alive."""


@dataclass(slots=True)
class Step:
    """One entry, and what becomes of it."""

    entry: DueEntry
    score: float = -1.0
    """When to look at it again."""

    parts: list[Any] = field(default_factory=list)
    """For the script; empty where all is as it should be."""

    run: str = ""
    """The run that is sent."""

    quarantined: str = ""
    """Why it goes into quarantine."""

    refused: str = ""
    """Why its message cannot be made now."""

    gone: bool = False
    """There is no such entry any more."""

    cancel: Schedule | None = None
    """The schedule, where its runs that are alive are to end."""


def parts_of(
    entry: DueEntry,
    score: float | None,
    *,
    meta: str | None = None,
    uid: str = "",
    lease: tuple[str, str, str] = NO_LEASE,
    taken: str = "",
    while_alive: bool = False,
    aside: str = "",
    commands: Sequence[Command] = (),
    events: Sequence[str] = (),
    drop: Sequence[str] = (),
    hold: Sequence[str] = (),
) -> list[Any]:
    """A step for the script: see there. Without a score, a key that is gone is forgotten."""
    there = "".join(
        "0" if value is None else "1" for value in (entry.definition, entry.meta, entry.extra, meta)
    )
    parts: list[Any] = [
        entry.key,
        there,
        entry.definition or "",
        entry.meta or "",
        entry.extra or "",
        meta or "",
        "" if score is None else repr(score),
        entry.name_bytes,
        uid,
        *lease,
        taken,
        "1" if while_alive else "",
        aside,
        len(commands),
    ]
    for command in commands:
        parts += (len(command), *command)
    for texts in (events, drop, hold):
        parts += (len(texts), *texts)
    return parts


def usual_parts(
    entry: DueEntry,
    score: float,
    *,
    meta: str,
    uid: str,
    lease: tuple[str, str, str],
    message: Sequence[Any],
    event: str,
) -> list[Any]:
    """What `parts_of` answers for a run of an entry that has been read whole, at a third of its
    price.

    `message` has the commands as the script takes them, their number first; no event is told where
    `event` is empty.
    """
    return [
        entry.key,
        "1111" if entry.extra is not None else "1101",
        entry.definition,
        entry.meta,
        entry.extra or "",
        meta,
        repr(score),
        entry.name_bytes,
        uid,
        *lease,
        "",
        "",
        "",
        *message,
        *((1, event) if event else (0,)),
        0,
        0,
    ]
