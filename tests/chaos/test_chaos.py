"""The short mode: every fault once, and kills in between, with real processes. The long one is
`make chaos`.
"""

from pathlib import Path
from random import Random

import pytest

from tests.chaos.checker import check
from tests.chaos.faults import KILLS, OTHERS
from tests.chaos.world import World


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_tick_is_lost_or_sent_twice_whatever_is_killed(
    valkey_binary: Path, tmp_path: Path, seed: int
) -> None:
    dice = Random(seed)  # noqa: S311 - chance, not a secret
    faults = [*OTHERS[seed % 2 :: 2], *KILLS]
    dice.shuffle(faults)
    world = World(tmp_path, valkey_binary, schedules=50, seed=seed)
    try:
        world.start()
        for fault in faults:
            fault(world, dice)
            world.wait_for_a_leader()
        world.finish()
    finally:
        world.end()
    found = check(world.account)
    assert found.faults == [], (tmp_path / "beats.log").read_text()[-4000:]
    assert (found.lost, found.double) == (0, 0)
    assert found.sent > 150, "Beat has hardly fired"
    assert world.editor.accepted > 20
