"""How long runs are kept: the most particular entry counts."""

from datetime import timedelta

import pytest

from scheduler.rules.model.run_states import FINAL
from scheduler.settings.keeping import STATES, keep_rule, selections


def ages_of(entries: list[str], schedule: str) -> dict[str, int]:
    """The days for which runs of a schedule are kept, by state; kept for ever where missing."""
    days: dict[str, int] = {}
    for one in selections(entries):
        is_mine = one.schedule == schedule or (one.schedule is None and schedule not in one.exempt)
        for state in one.states if is_mine else ():
            assert state not in days, "one selection for each run"
            days[state] = one.age // timedelta(days=1)
    return days


def test_the_states_are_the_ends_of_runs() -> None:
    assert set(STATES) == FINAL


def test_the_most_particular_entry_counts() -> None:
    entries = ["all 60d", "failed 90d", "nightly:all 365d", "nightly:skipped 1d", "b:lost 7d"]
    others = dict.fromkeys(STATES, 60) | {"failed": 90}
    assert ages_of(entries, "hourly") == others
    assert ages_of(entries, "nightly") == dict.fromkeys(STATES, 365) | {"skipped": 1}
    assert ages_of(entries, "b") == others | {"lost": 7}


def test_without_an_entry_for_a_state_its_runs_stay() -> None:
    assert ages_of(["succeeded 30d"], "hourly") == {"succeeded": 30}
    assert selections([]) == []


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("succeeded", "STATE AGE"),
        ("happy 30d", "'happy' is none of succeeded"),
        ("running 30d", "'running' is none of"),
        ("a b:failed 30d", "STATE AGE"),
        (":failed 30d", "is not the name of a schedule"),
        ("failed 30", "'30' is not an age"),
    ],
)
def test_an_unusable_entry_is_refused_with_the_fault(entry: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        keep_rule(entry)
