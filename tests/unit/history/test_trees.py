"""The verdict on a run with its children."""

import pytest

from scheduler.history.recording.trees import verdict


@pytest.mark.parametrize(
    ("own", "children", "expected"),
    [
        ("succeeded", [], None),
        ("succeeded", ["succeeded"], "succeeded"),
        ("succeeded", ["succeeded", "queued"], "running"),
        ("succeeded", ["failed", "retrying"], "running"),
        ("succeeded", ["succeeded", "failed"], "failed"),
        ("succeeded", ["lost"], "failed"),
        ("succeeded", ["expired"], "failed"),
        ("succeeded", ["revoked", "succeeded"], "revoked"),
        ("running", ["failed"], "running"),
        ("failed", ["succeeded"], "failed"),
        ("lost", ["succeeded"], "lost"),
    ],
)
def test_a_workflow_is_as_well_as_the_worst_of_its_parts(
    own: str, children: list[str], expected: str | None
) -> None:
    assert verdict(own, children) == expected
