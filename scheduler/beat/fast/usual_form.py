"""The texts of an entry's runs in the usual form of `fire.lua`, as bytes with places. Pure.

Most bytes of an entry's eleven texts are the same for each run. They are packed once
(`beat.text_list`); a run fills in the rest, in one operation. Most of the packed bytes in turn are
the same for all entries of a family (`families`), so that the texts are made in two steps:

    Layout      the texts of a family    with places for the values of an entry
    UsualForm   the texts of an entry    with places for the values of a run
"""

import re
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from scheduler.beat.due_entries import DueEntry
from scheduler.beat.text_list import TEXT, length, packed_text
from scheduler.publishing.calls import AT, RUN, TAG, TICK
from scheduler.storage import keys

_PLACES = {RUN: 0, TICK: 1, TAG: 2, AT: 3}
_DEFINITION, _META, _META_LENGTH, _EXTRA, _NEW_META, _NEW_META_LENGTH = range(4, 10)
_SCORE, _SCORE_LENGTH, _MESSAGE_LENGTH, _EVENT_LENGTH = range(10, 14)
"""Places filled in by a run."""

_TOKEN = re.compile(r"%\((\w+)\)s|(%%)|([" + "".join(_PLACES) + "])")
"""Tokens of a frame: a place filled in by an entry, a percent sign, a place filled in by a run."""

_UUID_LENGTH = 36


class RunTexts(NamedTuple):
    """The varying values of an entry's runs: id, tick, delivery tag and time of sending."""

    run: str
    tick: str
    tag: str
    at: str


class EntryTexts(NamedTuple):
    """The varying values of a family's entries, besides message and event."""

    entry: DueEntry
    uid: str
    lease: str
    """The lease record of a run whose message is sent."""


class _Size(NamedTuple):
    """The length of a text with places.

    `fixed` is the number of constant bytes; `ticks` and `times` are the numbers of ticks and times.
    """

    fixed: int
    ticks: int
    times: int


class Layout:
    """The texts of a family's runs.

    `message` and `event` are JSON with two kinds of places: the marks of `publishing.calls` for a
    run, and `%(name)s` for an entry. An empty event means none.
    """

    __slots__ = ("_entry_order", "_event", "_message", "_pattern", "run_order")

    def __init__(self, message: str, event: str) -> None:
        pattern = _Pattern()
        pattern.entry_value("key")
        pattern.entry_length("definition").run_value(_DEFINITION)
        pattern.run_length(_META_LENGTH).run_value(_META)
        pattern.entry_length("extra").run_value(_EXTRA)
        pattern.run_length(_NEW_META_LENGTH).run_value(_NEW_META)
        pattern.run_length(_SCORE_LENGTH).run_value(_SCORE)
        pattern.literal(TEXT + length(len(keys.ALIVE_PREFIX) + _UUID_LENGTH))
        pattern.literal(keys.ALIVE_PREFIX.encode()).entry_value("plain_uid")
        pattern.literal(TEXT + length(_UUID_LENGTH)).run_value(_PLACES[RUN])
        pattern.entry_value("lease")
        self._message = pattern.run_length(_MESSAGE_LENGTH).frame(message, "message")
        self._event = pattern.run_length(_EVENT_LENGTH).frame(event, "event")
        self._pattern = bytes(pattern.text)
        self._entry_order = tuple(pattern.entry_order)
        self.run_order: Callable[[Any], Any] = itemgetter(*pattern.run_order)

    def form(
        self, texts: EntryTexts, message: Mapping[str, str], event: Mapping[str, str]
    ) -> "UsualForm":
        """Return the form of an entry, valid until the definition or the extra field changes.

        `message` and `event` are the values of the places for an entry.
        """
        entry = texts.entry
        values: dict[str, bytes] = {
            "key": packed_text(entry.key),
            "definition": length(len(entry.definition or b"")),
            "extra": length(len(entry.extra or b"")),
            "plain_uid": texts.uid.encode(),
            "lease": packed_text(texts.lease),
        }
        message_length, event_length = self._message.fixed, self._event.fixed
        for name, text in message.items():
            value = values["message." + name] = text.encode()
            message_length += len(value)
        for name, text in event.items():
            value = values["event." + name] = text.encode()
            event_length += len(value)
        in_order = [values[name].replace(b"%", b"%%") for name in self._entry_order]
        return UsualForm(
            self._pattern % tuple(in_order),
            self.run_order,
            self._message._replace(fixed=message_length),
            self._event._replace(fixed=event_length),
        )


class UsualForm:
    """The texts of an entry's runs."""

    __slots__ = ("_event", "_message", "_order", "_pattern")

    def __init__(
        self, pattern: bytes, order: Callable[[Any], Any], message: _Size, event: _Size
    ) -> None:
        self._pattern = pattern
        self._order = order
        self._message = message
        self._event = event

    def fill(self, entry: DueEntry, texts: RunTexts, new_meta: str, score: str) -> bytes:
        """Return the texts of a run of the entry, packed."""
        run, tick, tag, at = texts
        meta = entry.meta or b""
        message, event = self._message, self._event
        values = (
            run.encode(),
            tick.encode(),
            tag.encode(),
            at.encode(),
            entry.definition,
            meta,
            length(len(meta)),
            entry.extra or b"",
            new_meta.encode(),
            length(len(new_meta)),
            score.encode(),
            length(len(score)),
            length(message.fixed + message.ticks * len(tick) + message.times * len(at)),
            length(event.fixed + event.ticks * len(tick) + event.times * len(at)),
        )
        packed: bytes = self._pattern % self._order(values)
        return packed


class _Pattern:
    """The pattern of a layout under construction, for the operator `%` of bytes, twice."""

    def __init__(self) -> None:
        self.text = bytearray()
        self.entry_order: list[str] = []
        self.run_order: list[int] = []

    def literal(self, text: bytes) -> "_Pattern":
        """Add constant bytes, equal for all runs of all entries."""
        self.text += text.replace(b"%", b"%%%%")
        return self

    def entry_value(self, name: str) -> "_Pattern":
        """Add a place for a value of an entry: plain bytes, or a packed text."""
        self.text += b"%b"
        self.entry_order.append(name)
        return self

    def run_value(self, place: int) -> "_Pattern":
        """Add a place for a value of a run."""
        self.text += b"%%b"
        self.run_order.append(place)
        return self

    def entry_length(self, name: str) -> "_Pattern":
        """Begin a text whose length the entry has."""
        return self.literal(TEXT).entry_value(name)

    def run_length(self, place: int) -> "_Pattern":
        """Begin a text whose length each run has."""
        return self.literal(TEXT).run_value(place)

    def frame(self, frame: str, prefix: str) -> _Size:
        """Add the rest of a text with places. Returns the size common to all entries."""
        fixed, at = 0, 0
        places: list[str] = []
        for token in _TOKEN.finditer(frame):
            fixed += self._plain(frame[at : token.start()])
            at = token.end()
            name, percent, place = token.groups()
            if name:
                self.entry_value(f"{prefix}.{name}")
            elif percent:
                fixed += self._plain("%")
            else:
                self.run_value(_PLACES[place])
                places.append(place)
        fixed += self._plain(frame[at:])
        fixed += (places.count(RUN) + places.count(TAG)) * _UUID_LENGTH
        return _Size(fixed, places.count(TICK), places.count(AT))

    def _plain(self, text: str) -> int:
        data = text.encode()
        self.literal(data)
        return len(data)
