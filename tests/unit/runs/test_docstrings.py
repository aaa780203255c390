"""What docstrings say of parameters."""

import pytest

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


@pytest.mark.parametrize(
    ("doc", "said"),
    [
        (FIELDS, {"days": "how many days, as a whole number", "title": "what it is called"}),
        (SECTION, {"days": "how many days, as a whole number", "names": "whose: all of them"}),
        ("Do it: now.", {}),
        ("", {}),
    ],
)
def test_each_parameter_has_what_is_said_of_it(doc: str, said: dict[str, str]) -> None:
    assert parameter_docs(doc) == said
