"""The texts of arguments in a message are Celery's own, however they are made."""

from typing import Any

from celery.utils.saferepr import saferepr
from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.publishing.message_template import repr_of

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
DEEP = st.recursive(
    PLAIN | st.binary(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
VALUES = st.one_of(
    st.lists(PLAIN, max_size=4),
    st.lists(PLAIN, max_size=4).map(tuple),
    st.dictionaries(st.text(max_size=10), PLAIN, max_size=4),
    st.dictionaries(st.text(max_size=10) | st.integers(), DEEP, max_size=3),
    DEEP,
)


@given(VALUES, st.sampled_from([10, 100, 1024]), st.sampled_from([0, 1, 3]))
@example((), 1024, 3)
@example({}, 1024, 3)
@example((1,), 1024, 3)
@example({"who": "it's", "n": True, "of": None}, 1024, 3)
@example(["x" * 150, "y" * 150], 1024, 3)
@example({"k": "x" * 2000}, 1024, 3)
def test_arguments_read_as_celery_writes_them(value: Any, limit: int, levels: int) -> None:
    assert repr_of(value, limit, levels) == saferepr(value, limit, maxlevels=levels)
