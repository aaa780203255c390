"""Our reader of YAML beside ruamel.yaml: the same values, the same lines, the same duplicates
refused.

Why the product does not read with ruamel.yaml stands in `yaml_text`. It is the second opinion here:
a reader of YAML 1.2, where libyaml below ours reads 1.1.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedBase, CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError

from scheduler.sets.yaml_text import LINE_DEPTH, BadYaml, Path, read, write

CHARACTERS = st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f_")
"""Without _: ruamel.yaml takes `._` for a number, and fails."""

TEXTS = st.text(CHARACTERS, max_size=12).filter(str.isprintable)
WORDS = st.sampled_from(
    [
        "on",
        "yes",
        "1e5",
        "0x10",
        "0o7",
        "2026-11-23",
        "12:30",
        "~",
        "null",
        "010",
        "- a",
        "a: b",
        "#",
        "=",
        "1_0",
        ".5",
    ]
)
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | WORDS
KEYS = TEXTS | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


def by_ruamel(text: str) -> Any:
    """The document with its places, as ruamel.yaml's round-trip loader builds it."""
    return YAML(typ="rt", pure=True).load(text)


def lines_by_ruamel(value: Any, path: Path = ()) -> Iterator[tuple[Path, int]]:
    """The line, from 1, of every value below this one, down to the depth that our reader keeps."""
    if len(path) >= LINE_DEPTH:
        return
    if isinstance(value, CommentedMap):
        below = [(key, value.lc.value(key)[0]) for key in value]
    elif isinstance(value, CommentedSeq):
        below = [(number, value.lc.item(number)[0]) for number in range(len(value))]
    else:
        return
    for part, line in below:
        yield (*path, part), line + 1
        yield from lines_by_ruamel(value[part], (*path, part))


def written(document: dict[str, Any]) -> list[str]:
    """The document in the ways in which sets are written: ours, and JSON, which is YAML too."""
    return [
        write(document),
        json.dumps(document, ensure_ascii=False, indent=2),
        json.dumps(document),
    ]


@settings(max_examples=400, derandomize=True, deadline=None)
@example({"schedules": [{"name": "a", "when": {"crontab": "0 6 * * *"}, "tags": ["x"]}]})
@example({"octal": "0o7", "hex": "0x1F", "fraction": ".5", "plus": "+1"})
@example({"text": "two\nlines", "more": "a" * 200, "after": 1})
@given(DOCUMENTS)
def test_values_and_lines_are_those_of_ruamel(document: dict[str, Any]) -> None:
    for text in written(document):
        ours, theirs = read(text), by_ruamel(text)
        assert ours.value == theirs == document
        lines = {path: line for path, line in ours.lines.items() if path}
        assert lines == dict(lines_by_ruamel(theirs))


BLOCKS = """\
version: 1

schedules:
- name: a   # a comment
  when:
    crontab: >
      0 6
      * * *
  kwargs: {days: 1,
    deep: [1,
      2]}
  doc: |
    one

    two
-   name: "in
      quotes"
    tags:
    - x
    -
      y
"""


def test_lines_of_a_text_by_hand_are_those_of_ruamel() -> None:
    ours, theirs = read(BLOCKS), by_ruamel(BLOCKS)
    assert isinstance(theirs, CommentedBase)
    assert ours.value == theirs
    lines = {path: line for path, line in ours.lines.items() if path}
    assert lines == dict(lines_by_ruamel(theirs))


@pytest.mark.parametrize(
    "text", ["a: 1\nb: 2\na: 3", "a: {x: 1, y: 2, x: 3}", "- {'k': 1, k: 2}", "? a\n: 1\n? a\n: 2"]
)
def test_a_key_that_stands_twice_is_refused_by_both(text: str) -> None:
    with pytest.raises(DuplicateKeyError):
        by_ruamel(text)
    with pytest.raises(BadYaml, match="stands twice"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: [1, 2",
        "a:\n\tb: 1",
        "a: b: c",
        "a: 1\n b: 2",
        "a: 'x",
        "- a\nb: 1",
        "a: }",
        "a: |\n b\n c\nd",
        "@a",
    ],
)
def test_what_is_no_yaml_is_refused_by_both_at_the_same_line(text: str) -> None:
    with pytest.raises(MarkedYAMLError) as theirs:
        by_ruamel(text)
    line = theirs.value.problem_mark.line + 1
    with pytest.raises(BadYaml, match=f"^line {line}: "):
        read(text)
