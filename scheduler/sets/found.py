"""The result of reading a foreign source: candidates, refused and ignored items. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from scheduler.rules.model.spec import Spec

LONGEST_NAME = 200


@dataclass(frozen=True)
class Readings:
    """The next ticks where day of month and day of week are both restricted: either suffices, or
    both must match.
    """

    either: list[datetime]
    both: list[datetime]


@dataclass(frozen=True)
class Candidate:
    """A schedule for import, its place in the source, and notes on necessary changes."""

    source: str
    spec: Spec
    notes: tuple[str, ...] = ()
    readings: Readings | None = None
    anchor_moves: bool = False
    """The anchor is the source's last run: it counts for a new schedule only."""


@dataclass(frozen=True)
class Aside:
    """An item left out of the import, and the reason."""

    source: str
    reason: str


@dataclass
class Found:
    """All items of a source."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: list[Aside] = field(default_factory=list)
    ignored: list[Aside] = field(default_factory=list)


def usable_names(names: Iterable[str]) -> dict[str, str]:
    """A schedule name for each name: equal on every call, no two alike."""
    plain = {name: usable_name(name) for name in names}
    count = Counter(plain.values())
    return {
        name: called
        if called == name or count[called] == 1
        else f"{called[: LONGEST_NAME - 9]}-{fingerprint(name)}"
        for name, called in plain.items()
    }


def usable_name(name: str) -> str:
    """The nearest valid schedule name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:LONGEST_NAME] or "schedule"


def renamed(name: str, called: str) -> tuple[str, ...]:
    """The note about a changed name; empty for an unchanged name."""
    return (
        ()
        if called == name
        else (f"called {called!r}, since a schedule cannot be called {name!r}",)
    )


def fingerprint(text: str) -> str:
    """Eight characters derived from the text alone."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
