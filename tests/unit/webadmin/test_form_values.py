"""What forms send, as values."""

import pytest
from flask import Flask

from webadmin.form_values import (
    LONGEST_COMMENT,
    comment,
    number,
    whole_number,
)


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("0", 0), ("007", 7), ("9" * 17, int("9" * 17))]
)
def test_a_whole_number_is_read(text: str, value: int) -> None:
    assert whole_number(text) == value


@pytest.mark.parametrize("text", ["", "-1", "1.5", "٣", "1e3", " 1", "9" * 18])
def test_what_is_no_whole_number_is_none(text: str) -> None:
    assert whole_number(text) is None


def test_a_form_has_a_comment_and_numbers() -> None:
    form = {"comment": f"  why  {'x' * 2000}", "revision": "3"}
    with Flask("console").test_request_context("/", method="POST", data=form):
        assert comment().startswith("why  xxx")
        assert len(comment()) == LONGEST_COMMENT
        assert (number("revision"), number("gone")) == (3, None)
