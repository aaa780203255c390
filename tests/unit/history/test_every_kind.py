"""No kind of event is forgotten by the fold: each one that ever was written can be folded alone."""

from pathlib import Path

import pytest

from scheduler.events.schema import FIELD, decode
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import Rows
from tests.architecture.tree import ROOT

GOLDEN = sorted((ROOT / "tests" / "unit" / "events" / "golden").rglob("*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_an_event_of_every_kind_can_be_folded(path: Path) -> None:
    event = decode({FIELD: path.read_text(encoding="utf-8")})
    once = fold(Rows(), [event])
    assert fold(once, [event]) == once
