"""iCalendar text as components with content lines and line numbers. Pure.

RFC 5545, sections 3.1, 3.4 and 3.6. Reads events, time zones, and the properties relevant to times.
All else is skipped during the reading: megabytes of descriptions and attachments cost one pass.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from scheduler.errors import Refused

_EVENT_PROPERTIES = frozenset(
    (
        *("DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE"),
        *("UID", "RECURRENCE-ID", "SEQUENCE", "STATUS", "SUMMARY"),
    )
)
_ZONE_PROPERTIES = frozenset(("TZID", "X-LIC-LOCATION"))
_CHANGE_PROPERTIES = frozenset(("DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"))
_PROPERTIES = {
    "VEVENT": _EVENT_PROPERTIES,
    "VTIMEZONE": _ZONE_PROPERTIES,
    "STANDARD": _CHANGE_PROPERTIES,
    "DAYLIGHT": _CHANGE_PROPERTIES,
}
"""Properties to read, by component."""

_HEAD = re.compile(r'((?:[^":]|"[^"]*")*+):')
_PARAMETER = re.compile(r';\s*([^=;"]*)=((?:[^";]|"[^"]*")*+)')


@dataclass(frozen=True)
class ContentLine:
    """A property: the name in capitals, parameters by name, the value as written."""

    line: int
    name: str
    parameters: dict[str, str]
    value: str


@dataclass
class Component:
    """A VEVENT, or a VTIMEZONE with STANDARD and DAYLIGHT parts."""

    kind: str
    line: int
    """The line number of BEGIN, from 1."""

    calendar: int
    """The number of the surrounding VCALENDAR in the file, from 1; 0 outside of any.

    TZIDs are unique within a VCALENDAR only.
    """

    properties: list[ContentLine] = field(default_factory=list)
    parts: list["Component"] = field(default_factory=list)
    problem: str | None = None
    """The first line of the component not of the form `NAME:VALUE`."""

    def one(self, name: str) -> ContentLine | None:
        """Return the first property of this name, or None."""
        return next((found for found in self.properties if found.name == name), None)

    def all(self, name: str) -> list[ContentLine]:
        """Return all properties of this name."""
        return [found for found in self.properties if found.name == name]


@dataclass
class _Open:
    """A component between BEGIN and END, with a record; None for a skipped component."""

    name: str
    component: Component | None
    is_inner: bool
    """Whether the component is, or stands in, a VEVENT or VTIMEZONE: no event begins inside."""


def components(text: str) -> list[Component]:
    """Return the events and time zones of a file, in the order of the file.

    A line not of the form `NAME:VALUE` is a problem of the surrounding event; outside of events the
    file is refused. Raises Refused, with the line number, where a component ends that did not
    begin, or does not end.
    """
    found: list[Component] = []
    stack: list[_Open] = []
    calendars = 0
    number = 1
    for number, line in _unfolded(text):
        content = _content_line(number, line)
        if content is None:
            _note_problem(stack, number, line)
        elif content.name == "BEGIN":
            kind = content.value.strip().upper()
            calendars += kind == "VCALENDAR"
            outer = stack[-1] if stack else None
            component = _begun(kind, number, calendars, outer)
            is_inner = component is not None or (outer is not None and outer.is_inner)
            stack.append(_Open(kind, component, is_inner))
        elif content.name == "END":
            component = _ended(content, stack)
            if component is not None and component.kind in ("VEVENT", "VTIMEZONE"):
                found.append(component)
        else:
            _record(content, stack)
    if stack:
        refuse(number, f"{stack[-1].name[:40]} has no end; the file is cut off")
    return found


def refuse(line: int, why: str) -> NoReturn:
    """Raise Refused with the line of the file."""
    raise Refused(f"line {line} of the iCalendar file: {why}", field="calendar")


def _begun(kind: str, line: int, calendar: int, outer: _Open | None) -> Component | None:
    """Return the record of a new component; None for a skipped component, such as a VALARM."""
    if kind in ("STANDARD", "DAYLIGHT"):
        zone = outer.component if outer is not None else None
        if zone is None or zone.kind != "VTIMEZONE":
            return None
        part = Component(kind, line, calendar)
        zone.parts.append(part)
        return part
    if kind not in ("VEVENT", "VTIMEZONE") or (outer is not None and outer.is_inner):
        return None
    return Component(kind, line, calendar)


def _ended(content: ContentLine, stack: list[_Open]) -> Component | None:
    """Return the record of the component that ends."""
    kind = content.value.strip().upper()
    last = stack.pop() if stack else None
    if last is None or last.name != kind:
        refuse(content.line, f"END:{kind[:40]} ends what did not begin")
    return last.component


def _record(content: ContentLine, stack: list[_Open]) -> None:
    """Add the property to the surrounding component, if the property is read."""
    if stack and stack[-1].name == "VCALENDAR" and content.name == "CALSCALE":
        _check_scale(content)
    component = stack[-1].component if stack else None
    if component is not None and content.name in _PROPERTIES[component.kind]:
        component.properties.append(content)


def _check_scale(content: ContentLine) -> None:
    """Raise Refused for a file with another calendar scale than GREGORIAN (3.7.1)."""
    if content.value.strip().upper() != "GREGORIAN":
        refuse(
            content.line,
            f"CALSCALE:{content.value[:40]} cannot be read; export it with CALSCALE:GREGORIAN",
        )


def _note_problem(stack: list[_Open], number: int, line: str) -> None:
    """Record a malformed line in the surrounding event; refuse the file outside of events."""
    why = f"{line[:40]!r} is not NAME:VALUE"
    if not stack or stack[-1].name == "VCALENDAR":
        refuse(number, f"{why}; is this an iCalendar file?")
    component = stack[-1].component
    if component is not None and component.problem is None:
        component.problem = f"its line {number}, {why}"


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Yield unfolded lines with numbers: a leading blank continues the previous line (3.1)."""
    parts: list[str] = []
    begun = 0
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if line[:1] in (" ", "\t"):
            parts.append(line[1:])
            continue
        whole = "".join(parts)
        if whole.strip():
            yield begun, whole
        parts = [line]
        begun = number
    whole = "".join(parts)
    if whole.strip():
        yield begun, whole


def _content_line(number: int, line: str) -> ContentLine | None:
    """Parse `NAME;PARAMETER=x:value`, where quotes hide colons and semicolons; None on failure."""
    head = _HEAD.match(line)
    if head is None:
        return None
    name, _, _ = head[1].partition(";")
    pairs = _PARAMETER.findall(head[1])
    parameters = {key.strip().upper(): value.strip().strip('"') for key, value in pairs}
    return ContentLine(number, name.strip().upper(), parameters, line[head.end() :])
