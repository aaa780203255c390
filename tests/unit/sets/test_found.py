"""Names that were found become names that a schedule can have."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.check import NAME
from scheduler.sets.found import usable_names


def test_a_name_that_can_be_kept_is_kept():
    assert usable_names(["nightly.report_1-a"]) == {"nightly.report_1-a": "nightly.report_1-a"}


def test_names_that_become_alike_are_told_apart():
    called = usable_names(["my task", "my:task", "my-task", "other task"])
    assert called["my-task"] == "my-task"
    assert called["other task"] == "other-task"
    assert len(set(called.values())) == 4
    assert called["my task"].startswith("my-task-")


@given(st.lists(st.text(max_size=250), unique=True))
def test_every_name_can_be_used_and_none_comes_twice(names):
    called = usable_names(names)
    assert all(NAME.fullmatch(name) for name in called.values())
    assert usable_names(reversed(names)) == called
    assert len(set(called.values())) == len(called)
