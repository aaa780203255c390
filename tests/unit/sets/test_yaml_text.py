"""YAML is read as JSON's values, with lines, and nothing that surprises."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.sets.yaml_text import BadYaml, read, write

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.sampled_from(
        [
            "on",
            "1e5",
            "0x10",
            "2026-11-23",
            "12:30",
            "~",
            "null",
            "010",
            "- a",
            "a: b",
            "#",
            "<<",
            "=",
        ]
    )
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)


@given(VALUES)
def test_what_is_written_is_read_again(value):
    again = read(write({"value": value})).value["value"]
    assert again == value
    assert repr(again) == repr(value) or isinstance(value, dict | list | float)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2026-11-23", "2026-11-23"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("1.5e3", 1500.0),
        ("-3", -3),
        ("'1'", "1"),
        ("!!str 1", "1"),
    ],
)
def test_words_are_texts_unless_json_reads_them(text, value):
    assert read(f"a: {text}").value == {"a": value}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' stands twice"),
        ("a: &x 1", "line 1: tags (!) and anchors (&) are not read"),
        ("a: &x {b: 1}", "anchors"),
        ("a: *x", "line 1: *x repeats another part"),
        ("a: !!python/object/apply:os.system ['true']", "tags"),
        ("a: !!timestamp 2026-01-01", "tags"),
        ("<<: {a: 1}", "merging"),
        ("a: 1\n---\nb: 2", "line 2: a second document"),
        ("? [a, b]\n: c", "cannot be a key"),
        ("1: a", "the key '1' is not a text"),
        ("a:\n\tb: 1", "line 2"),
        ("a: [1, 2", "line"),
        ("a: 1e999", "too large"),
        (f"a: {'9' * 5000}", "too large"),
        ("[" * 50, "nested deeper than 40"),
        ("a: b: c", "line 1"),
    ],
)
def test_what_surprises_is_refused_with_its_line(text, said):
    with pytest.raises(BadYaml, match=r".") as refused:
        read(text)
    assert said in str(refused.value)


def test_a_short_text_cannot_become_an_endless_one():
    bomb = "a: &a [x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    with pytest.raises(BadYaml):
        read(bomb)


@given(st.text(max_size=200) | st.text("[]{}:,-&*!|>'\"#%@`\n\t ?<ab1", max_size=200))
def test_no_text_raises_anything_but_our_own_refusal(text):
    with suppress(BadYaml):
        read(text)


def test_numbers_that_json_cannot_carry_do_not_come_in():
    assert not any(
        isinstance(v, float) and not math.isfinite(v) for v in read("[.inf, .nan, 1.0]").value
    )


def test_the_lines_of_values_are_known():
    lines = read("version: 1\nschedules:\n  - name: a\n    when:\n      crontab: x\n").lines
    assert lines["schedules", 0] == 3
    assert lines["schedules", 0, "when", "crontab"] == 5
