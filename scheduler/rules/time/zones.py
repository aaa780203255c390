"""IANA time zones by name, with a suggestion for a misspelt name.

The zone files belong to the installation (package tzdata), not to a user's data. Must not know of
schedules.
"""

from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from scheduler.errors import UnknownZone

_NOT_PLACES = {"localtime", "posixrules", "Factory"}
"""Names in the database whose meaning depends on the machine."""


@cache
def zone_names() -> tuple[str, ...]:
    """Return all names, in alphabetical order."""
    return tuple(sorted(available_timezones() - _NOT_PLACES))


@cache
def _name_set() -> frozenset[str]:
    return frozenset(zone_names())


def zone(name: str) -> ZoneInfo:
    """Return the zone called `name`. Raises UnknownZone, which suggests the closest name."""
    if name not in _name_set():
        raise UnknownZone(_refusal(name), field="timezone")
    return ZoneInfo(name)


def _refusal(name: str) -> str:
    """The message for an unknown name, with the closest name where there is one."""
    suggestion = _suggestion("_".join(name.split()).casefold()[:100])
    hint = (
        f"did you mean {suggestion!r}?"
        if suggestion
        else "use an IANA name such as 'Europe/Berlin' or 'UTC'"
    )
    return f"there is no time zone {name[:100]!r}; {hint}"


def _suggestion(wanted: str) -> str | None:
    """The zone closest to a case-folded name: by the whole name first, then by the place alone."""
    by_name = {name.casefold(): name for name in zone_names()}
    by_place = {name.rpartition("/")[2].casefold(): name for name in reversed(zone_names())}
    exact = by_name.get(wanted) or by_place.get(wanted)
    if exact is not None:
        return exact
    for names in (by_name, by_place):
        close = get_close_matches(wanted, names, n=1, cutoff=0.75)
        if close:
            return names[close[0]]
    return None
