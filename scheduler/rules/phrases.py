"""Phrases for sentences about schedules. Must not import schedules."""

from collections.abc import Sequence

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
ORDINALS = ("", "first", "second", "third", "fourth", "fifth")

_UNITS = ((86400 * 7, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def duration(seconds: float) -> str:
    """Return seconds in words: `90` is '90 seconds', `7200` is '2 hours', `1` is 'second'."""
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return unit if count == 1 else counted(count, unit)
    return f"{seconds:g} seconds"


def elapsed(seconds: float) -> str:
    """Return a measured length of time in words: `12 ms`, `1.84 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 0:
        return "-" + elapsed(-seconds)
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    whole = round(seconds)
    for length, unit, part, part_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= length:
            return f"{whole // length} {unit} {whole % length // part} {part_unit}"
    return f"{whole // 60} min {whole % 60} s"


def percent(share: float) -> str:
    """Return a share from 0 to 1 in percent: `96 %`; `100 %` and `0 %` only where it is exact, and
    `99.9 %` or `0.1 %` where it is close.
    """
    value = share * 100
    if value > 99:
        return "100 %" if share == 1 else f"{min(value, 99.9):.1f} %"
    if value < 1:
        return "0 %" if share == 0 else f"{max(value, 0.1):.1f} %"
    return f"{value:.0f} %"


def joined(words: Sequence[str], last: str = "and") -> str:
    """Return the words as a list in a sentence: `a, b and c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" {last} " + words[-1]


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return the words for a number: `tick is` with 1, `ticks are` with any other.

    `many` defaults to `one` and an s.
    """
    return one if number == 1 else many or f"{one}s"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return the number with its words: `1 minute`, `5 minutes`, `2 ticks are`."""
    return f"{number} {plural(number, one, many)}"


def ordinal(number: int) -> str:
    """Return `first`, `fifth`, `12th`; for negative numbers `last`, `second to last`."""
    if number < 0:
        return "last" if number == -1 else f"{ordinal(-number)} to last"
    if number < len(ORDINALS):
        return ORDINALS[number]
    ending = (
        "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{ending}"


def spans(names: Sequence[str], values: Sequence[int]) -> list[str]:
    """Return the names of ascending values; three or more in a row become 'a through b'."""
    words = []
    for first, last in runs(values):
        if last - first >= 2:
            words.append(f"{names[first]} through {names[last]}")
        else:
            words += [names[value] for value in range(first, last + 1)]
    return words


def weekday_spans(weekdays: frozenset[int]) -> list[str]:
    """Return weekdays (Sunday is 0) in words, from Monday on, so that a weekend is one span."""
    from_monday = sorted((day - 1) % 7 for day in weekdays)
    return spans([*WEEKDAYS[1:], WEEKDAYS[0]], from_monday)


def runs(values: Sequence[int]) -> list[tuple[int, int]]:
    """Return the unbroken runs of ascending values, as (first, last)."""
    found: list[tuple[int, int]] = []
    for value in values:
        if found and value == found[-1][1] + 1:
            found[-1] = (found[-1][0], value)
        else:
            found.append((value, value))
    return found
