"""YAML <-> plain data, for texts by strangers. Pure.

Values are JSON's: numbers, true, false, null. Every other word is a text, so `on`, `12:30` and
`2026-11-23` stay literal. Surprising parts are refused with their line: a repeated key, anchors and
aliases (a short text can become an endless one), tags, a second document, depth. Reads the parser's
flat events, so no text can exhaust the stack.

Why PyYAML's parser with a builder of our own, and not ruamel.yaml with its lines and check of keys:
speed. 10,000 schedules (1.35 MB) take 0.4 s of CPU here, on libyaml, written in C. ruamel.yaml's
loader with lines takes 10 s, its parser alone 4 s, as both are Python (`python -m
tests.bench.yaml_readers`). Importing all the schedules takes 3.6 s today, and a text of the
greatest size would hold a thread of the web for minutes. ruamel.yaml's binding to libyaml is as
fast as PyYAML's, but has neither lines nor the check above its events, so this builder would stay
unchanged. The binding exists for old installations only: its successor needs a Zig compiler.
ruamel.yaml is the second opinion in `tests/unit/sets/test_yaml_beside_ruamel.py`.
"""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.nodes import ScalarNode

from scheduler.errors import Refused

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 40
LINE_DEPTH = 4
"""Depth down to which the lines of values are recorded, for messages."""

Path = tuple[str | int, ...]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.ASCII)
_YAML_1_2_NUMBER = (
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+"
)
"""Numbers of other YAML readers: section 10.3.2 of YAML 1.2.2. Includes all of `_NUMBER`."""

_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_STR_TAG = "tag:yaml.org,2002:str"


class BadYaml(Refused):
    """The text is not readable YAML."""


@dataclass
class Document:
    """The value of a text, and the line (from 1) of each value near the top."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)


@dataclass
class _Open:
    """A list or an object during the reading."""

    into: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None


def read(text: str) -> Document:
    """The document of a text. Raises BadYaml with the line."""
    if len(text) > MAX_BYTES:
        raise BadYaml(f"the text has {len(text)} characters; {MAX_BYTES} are read, so divide it")
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise BadYaml(f"{_at(mark, text)}{what}") from None
    except UnicodeEncodeError:
        raise BadYaml(
            "the text holds half of a character (\\ud800 to \\udfff); write the character itself"
        ) from None
    except yaml.reader.ReaderError as error:
        raise BadYaml(
            f"the character {error.character!r} cannot stand in YAML: {error.reason}"
        ) from None
    return reader.document


def write(value: Any) -> str:
    """`value` as YAML, keys in their order."""
    text: str = yaml.dump(value, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=110)
    return text


class _Reader:
    """Builds the value from the parser's events."""

    def __init__(self) -> None:
        self.document = Document()
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: Event) -> None:
        """Take an event of the parser."""
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._begin(event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._open.pop()
        elif isinstance(event, AliasEvent):
            _refuse(
                event, f"*{event.anchor} repeats another part; aliases are not read, write it out"
            )
        elif isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                _refuse(event, "a second document begins; one is read, so put everything into one")

    def _begin(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        into: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
        if event.tag is not None or event.anchor is not None:
            _refuse(event, "tags (!) and anchors (&) are not read; write the plain value")
        if len(self._open) >= MAX_DEPTH:
            _refuse(event, f"this is nested deeper than {MAX_DEPTH} levels; flatten it")
        self._open.append(_Open(into, self._put(into, event)))

    def _scalar(self, event: ScalarEvent) -> None:
        if event.anchor is not None or (event.tag is not None and event.tag not in ("!", _STR_TAG)):
            _refuse(event, "tags (!) and anchors (&) are not read; write the plain value")
        plain = event.implicit[0] and event.tag is None
        value = _plain(event) if plain else event.value
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.into, dict) and top.key is None:
            top.key = _key(event, value, top.into)
        else:
            self._put(value, event)

    def _put(self, value: Any, event: Event) -> Path:
        """Put a value into its list or object. Returns the value's path."""
        if not self._open:
            self.document.value = value
            self._remember((), event)
            return ()
        top = self._open[-1]
        if isinstance(top.into, list):
            path: Path = (*top.path, len(top.into))
            top.into.append(value)
        elif top.key is None:
            _refuse(event, "a list or an object cannot be a key")
        else:
            path = (*top.path, top.key)
            top.into[top.key] = value
            top.key = None
        self._remember(path, event)
        return path

    def _remember(self, path: Path, event: Event) -> None:
        if len(path) <= LINE_DEPTH:
            self.document.lines[path] = _line(event)


def _plain(event: ScalarEvent) -> Any:
    """The JSON value of a plain word; other words are texts."""
    text = event.value
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    try:
        number = json.loads(text)
    except ValueError:
        number = math.inf
    if isinstance(number, float) and not math.isfinite(number):
        _refuse(event, "the number is too large; put it in quotes")
    return number


def _key(event: ScalarEvent, value: Any, into: dict[str, Any]) -> str:
    if not isinstance(value, str):
        _refuse(event, f"the key {event.value[:40]!r} is not a text; put it in quotes")
    if value in into:
        _refuse(event, f"the key {value[:80]!r} stands twice; leave one out")
    if value == "<<" and event.implicit[0]:  # in quotes, << is a text like any other
        _refuse(event, "merging with << is not read; write it out")
    return value


def _at(mark: Any, text: str) -> str:
    """The line of a fault. The parser finds a missing end one line after the last."""
    return "" if mark is None else f"line {min(mark.line + 1, len(text.splitlines()))}: "


def _line(event: Event) -> int:
    return 0 if event.start_mark is None else event.start_mark.line + 1


def _refuse(event: Event, why: str) -> NoReturn:
    raise BadYaml(f"line {_line(event)}: {why}")


class _Writer(_DUMPER):  # type: ignore[misc]
    """Quotes every text of another type to `read`, or to another YAML reader."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write aliases."""
        return True


def _text(writer: Any, text: str) -> ScalarNode:
    """Several lines as a block, where a block loses nothing."""
    style: Literal["|", '"'] | None = None
    if not text.isprintable():
        lines = text.split("\n")
        safe = (
            len(lines) > 1
            and all(line.isprintable() and line == line.strip() for line in lines)
            and lines[0]
        )
        style = "|" if safe else '"'
    return writer.represent_scalar(_STR_TAG, text, style=style)  # type: ignore[no-any-return]


_Writer.add_representer(str, _text)
_Writer.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(rf"^(?:{_YAML_1_2_NUMBER})$"), list("-+.0123456789")
)
