"""JSON that is written sooner is what the standard library writes."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.events import fast_json

PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10)
)
KEYS = st.text(max_size=5) | st.integers() | st.booleans() | st.none()
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES, st.booleans(), st.sampled_from([(", ", ": "), (",", ":")]))
@example("alone", True, (", ", ": "))
@example(float("inf"), False, (",", ":"))
@example({"ä\ud800\x01": "\u2028"}, False, (",", ":"))
def test_it_is_written_as_by_the_library(
    value: Any, ascii_only: bool, separators: tuple[str, str]
) -> None:
    write = fast_json.writer(ascii_only=ascii_only, separators=separators)
    assert write(value) == json.dumps(value, ensure_ascii=ascii_only, separators=separators)


def test_what_is_no_json_is_refused_as_by_the_library() -> None:
    with pytest.raises(TypeError, match="Object of type set is not JSON serializable"):
        fast_json.writer()({"tags": {1}})
