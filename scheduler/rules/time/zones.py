"""IANA time zones by name, with a suggestion for a name that is nearly one.

The zone files are part of the installation (package tzdata), not of any user's data. Must not know
of schedules.
"""

from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from scheduler.errors import UnknownZone

_NOT_PLACES = {"localtime", "posixrules", "Factory"}
"""Names in the data base that mean something else on every machine."""


@cache
def zone_names() -> tuple[str, ...]:
    """All names, in alphabetical order."""
    return tuple(sorted(available_timezones() - _NOT_PLACES))


@cache
def _known() -> frozenset[str]:
    return frozenset(zone_names())


def zone(name: str) -> ZoneInfo:
    """The zone called `name`. Raises UnknownZone with the name that was probably meant."""
    if name not in _known():
        raise UnknownZone(_refusal(name), field="timezone")
    return ZoneInfo(name)


def _refusal(name: str) -> str:
    """What to write instead of `name`."""
    by_folded = {known.casefold(): known for known in zone_names()}
    by_place = {known.rpartition("/")[2].casefold(): known for known in reversed(zone_names())}
    wanted = "_".join(name.split()).casefold()[:100]
    close = get_close_matches(wanted, by_folded, n=1, cutoff=0.75)
    meant = (
        by_folded.get(wanted) or by_place.get(wanted) or (by_folded[close[0]] if close else None)
    )
    if meant is None:
        places = get_close_matches(wanted, by_place, n=1, cutoff=0.75)
        meant = by_place[places[0]] if places else None
    hint = (
        f"did you mean {meant!r}?" if meant else "use an IANA name such as 'Europe/Berlin' or 'UTC'"
    )
    return f"there is no time zone {name[:100]!r}; {hint}"
