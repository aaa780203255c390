"""The same change on many schedules, on all or on none, with an outcome for each.

Schedules are chosen by name, or by the filters of the list.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from scheduler.errors import (
    NotFound,
    Refused,
    RefusedTogether,
    StaleRevision,
    Unavailable,
    UnreadableEntry,
)
from scheduler.rules.model.spec import Schedule
from scheduler.schedules.batch import ATTEMPTS, calls_of
from scheduler.schedules.changes import Change
from scheduler.schedules.edits import CheckCall, Decide

if TYPE_CHECKING:
    from scheduler.catalogue.catalogue import Catalogue
    from scheduler.schedules.batch import BatchEdit
    from scheduler.schedules.filters import Filter
    from scheduler.schedules.raw_entry import RawEntry
    from scheduler.schedules.reads import Listing

MOST = 10_000
"""The most schedules in a single step."""


class Outcome(NamedTuple):
    """The outcome for a schedule: its state after the step, and whether a change was needed."""

    schedule: Schedule
    changed: bool


class Bulk:
    """Changes many schedules."""

    def __init__(self, listing: "Listing", together: "BatchEdit", catalogue: "Catalogue") -> None:
        self._listing = listing
        self._together = together
        self._catalogue = catalogue

    def names(self, filters: "Filter", search: str = "") -> list[str]:
        """Return the names of the schedules that pass the filters, in order."""
        return self._listing.matching(filters, search)

    def calls(self, now: datetime) -> CheckCall:
        """Return a check of many calls against the catalogue as of `now`."""
        return calls_of(self._catalogue.jobs(now))

    def change(self, names: Sequence[str], decide: Decide) -> list[Outcome]:
        """Apply `decide` to each schedule. Returns an outcome for each name, without duplicates.

        Raises RefusedTogether with every refusal, and Refused for more than `MOST` schedules;
        nothing is written then. Raises Unavailable where Redis does not answer, or where Beat keeps
        advancing the entries.
        """
        names = list(dict.fromkeys(names))
        if len(names) > MOST:
            raise Refused(
                f"{len(names)} schedules are too many for one step; {MOST} may be changed at once"
            )
        read = self._together.read(names)
        decided: list[Change | Schedule] = []
        reasons: dict[str, str] = {}
        for stored in read:
            try:
                stored.check_exists()
                decided.append(decide(stored))
            except (Refused, NotFound, StaleRevision, UnreadableEntry) as error:
                reasons[stored.name] = str(error)
        if reasons:
            raise RefusedTogether(reasons)
        self._carry_out(read, decided, decide)
        return [
            Outcome(one.schedule, True) if isinstance(one, Change) else Outcome(one, False)
            for one in decided
        ]

    def _carry_out(
        self, read: "list[RawEntry]", decided: list[Change | Schedule], decide: Decide
    ) -> None:
        """Write the changes. An entry that Beat has advanced meanwhile is decided again."""
        for _ in range(ATTEMPTS):
            places = [place for place, one in enumerate(decided) if isinstance(one, Change)]
            changes = [one for one in decided if isinstance(one, Change)]
            moved = [
                places[number]
                for number in self._together.write([read[place] for place in places], changes)
            ]
            if not moved:
                return
            for place, stored in zip(
                moved, self._together.read([read[place].name for place in moved]), strict=True
            ):
                stored.check_exists()
                read[place], decided[place] = stored, decide(stored)
        raise Unavailable(
            "the schedules are being changed all the time, nothing was saved; try again"
        )
