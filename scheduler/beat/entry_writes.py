"""The write for one due entry, and its form as arguments of `fire.lua`. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from scheduler.beat.due_entries import DueEntry
from scheduler.publishing.calls import Command
from scheduler.rules.model.spec import Schedule

NO_LEASE: tuple[str, str, str] = ("", "", "0")
"""Run id, record and expiry of the lease, for a write without a run."""


class Neighbours(NamedTuple):
    """What neighbours in the usual form of `fire.lua` have in common."""

    queue: bytes
    has_extra: bool
    """Whether their own field was read."""

    alive_until: str
    """In seconds since 1970."""


class Usual(NamedTuple):
    """A write in the usual form of `fire.lua`; `packed` are the texts of the entry alone."""

    neighbours: Neighbours
    packed: bytes


USUAL_WIDTH = 11
"""Texts of one entry in the usual form."""


@dataclass(slots=True)
class EntryWrite:
    """A due entry with the decision about it."""

    entry: DueEntry
    score: float = -1.0
    """The entry's next due time, in seconds since 1970; -1 for none."""

    parts: list[Any] = field(default_factory=list)
    """Arguments for the script, in the whole form; empty where nothing changes."""

    run: str = ""
    """The id of the run to send."""

    quarantined: str = ""
    """The reason for a quarantine of the entry."""

    refused: str = ""
    """The reason why the message cannot be made now."""

    gone: bool = False
    """Whether the entry has been deleted."""

    cancel: Schedule | None = None
    """The schedule whose running runs have to be cancelled."""

    usual: Usual | None = None
    """The write in the usual form; `parts` is empty then."""

    @property
    def has_changes(self) -> bool:
        """Whether the script has anything to carry out."""
        return self.usual is not None or bool(self.parts)


def parts_of(
    entry: DueEntry,
    score: float | None,
    *,
    meta: str | None = None,
    uid: str = "",
    lease: tuple[str, str, str] = NO_LEASE,
    sent_waiting: str = "",
    while_alive: bool = False,
    quarantine: str = "",
    commands: Sequence[Command] = (),
    events: Sequence[str] = (),
    drop: Sequence[str] = (),
    wait: Sequence[str] = (),
) -> list[Any]:
    """Return a write as arguments of `fire.lua`. Without a score, a missing key is forgotten."""
    flags = "".join(
        "0" if value is None else "1" for value in (entry.definition, entry.meta, entry.extra, meta)
    )
    parts: list[Any] = [
        entry.key,
        flags,
        entry.definition or "",
        entry.meta or "",
        entry.extra or "",
        meta or "",
        "" if score is None else repr(score),
        entry.name_bytes,
        uid,
        *lease,
        sent_waiting,
        "1" if while_alive else "",
        quarantine,
        len(commands),
    ]
    for command in commands:
        parts += (len(command), *command)
    for texts in (events, drop, wait):
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
    """Return the arguments of `parts_of` for a run of a fully read entry, at a third of the cost.

    `message` has the commands in the script's form, behind their number; an empty `event` appends
    no event.
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
