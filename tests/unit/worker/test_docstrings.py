"""The help text of parameters, as docstrings have it."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.worker.docstrings import parameter_docs

FIELDS = """Do it.

    :param days: how many days,
        as a whole number
    :param str title: what it is called
    :returns: nothing
"""
SECTION = """Do it.

    Args:
        days (int): how many days,
            as a whole number
        *names: whose: all of them

    Returns:
        never: this
"""
NUMPY = """Do it.

    Parameters
    ----------
    days : int, optional
        how many days,
        as a whole number
    *names
        whose: all of them

    Returns
    -------
    never
        this
"""
EPYDOC = """Do it.

    @param days: how many days,
        as a whole number
    @type days: int
    @return: nothing
"""
DAYS = "how many days, as a whole number"


@pytest.mark.parametrize(
    ("doc", "help_texts"),
    [
        (FIELDS, {"days": DAYS, "title": "what it is called"}),
        (SECTION, {"days": DAYS, "names": "whose: all of them"}),
        (NUMPY, {"days": DAYS, "names": "whose: all of them"}),
        (EPYDOC, {"days": DAYS}),
        ("Do it: now.", {}),
        ("", {}),
    ],
)
def test_each_parameter_has_its_help_text(doc: str, help_texts: dict[str, str]) -> None:
    assert parameter_docs(doc) == help_texts


def test_styles_may_be_mixed_and_fields_win() -> None:
    mixed = FIELDS + "\n    Args:\n        days: other words\n        more: and more\n"
    assert parameter_docs(mixed) == {**parameter_docs(FIELDS), "more": "and more"}


def test_several_parameters_may_share_a_help_text() -> None:
    doc = "Do it.\n\nParameters\n----------\nleft, right : int\n    how far\n"
    assert parameter_docs(doc) == {"left": "how far", "right": "how far"}


@pytest.mark.parametrize(
    ("doc", "help_texts"),
    [
        ("Args:\n    a: one\n\nRaises:\n    whatever goes wrong", {"a": "one"}),
        ("Args:\n    a: one\n    and more\n    b: two", {"a": "one and more", "b": "two"}),
        (":param dict[str, int] a: one\n:param b: two", {"a": "one", "b": "two"}),
        (":param a: one\n:class:`Shop` has it\n: : and", {"a": "one"}),
        (":param a: one\n\nAnd so on, for a page.", {"a": "one"}),
        ("Args:\n    a:\n    b: two", {"b": "two"}),
    ],
    ids=["another section", "wrapped", "type of two words", "colons", "paragraph", "no text"],
)
def test_a_fault_in_one_part_does_not_cost_the_others(doc: str, help_texts: dict[str, str]) -> None:
    read = parameter_docs("Do it.\n\n" + doc)
    assert {name: text for name, text in read.items() if text} == help_texts


PIECES = """:param x: a|:param a b c: d|:param *x|:::|: : |:foo|::|@param x: b|@type x|@|Args:|    x: y|    x (int): y
  y|Parameters|----------|x, y : int|    text|Returns:|    z|Raises:|------|>>> a|        deep|Note:||"""


@given(
    st.lists(st.sampled_from(PIECES.replace("\n", "|").split("|")), max_size=9).map("\n".join)
    | st.text(":@ \nparmx-()", max_size=60)
    | st.text(max_size=60)
)
def test_no_docstring_ends_a_workers_start(doc: str) -> None:
    for name, text in parameter_docs(doc).items():
        assert "*" not in name
        assert "\n" not in text


def test_the_library_is_loaded_only_where_a_docstring_is_read() -> None:
    program = "import sys, scheduler.worker.introspect; print('docstring_parser' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
