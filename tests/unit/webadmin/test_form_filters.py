"""The search box: what is typed, what is asked, and what stands in the box again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webadmin.forms.filters import Filters, wanted


@pytest.mark.parametrize(
    ("typed", "filters"),
    [
        ("report", Filters(search="report")),
        ("  two   words ", Filters(search="two words")),
        (
            'tag:"a b" job:x.y state:disabled z',
            Filters(search="z", tag="a b", job="x.y", state="disabled"),
        ),
        ("legacy:name", Filters(search="legacy:name")),
        ("tag:", Filters(search="tag:")),
        ('"unfinished', Filters(search="unfinished")),
    ],
)
def test_qualifiers_are_taken_out_of_the_words(typed: str, filters: Filters) -> None:
    assert wanted({"q": typed}) == filters


def test_the_box_wins_over_the_selects() -> None:
    assert wanted({"q": "job:a", "job": "b", "state": "enabled"}) == Filters(
        job="a", state="enabled"
    )


@given(st.text())
def test_any_search_is_read(typed: str) -> None:
    assert len(wanted({"q": typed}).search) <= 200
