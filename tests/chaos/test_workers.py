"""The short mode of the chaos of workers: a few kills. The long one is `make chaos-workers`."""

from pathlib import Path

import pytest

from tests.chaos.workers import Chaos, Plan, are_at_once, executions, report


@pytest.mark.timeout(400)
def test_no_run_is_lost_and_each_execution_is_an_attempt_whatever_worker_is_killed(
    valkey_binary: Path, tmp_path: Path
) -> None:
    plan = Plan(runs=200, kills=5, workers=2)
    chaos = Chaos(tmp_path, plan, valkey_binary)
    try:
        found = chaos.run()
    finally:
        chaos.end()
    assert found.is_clean, report(plan, found, 0)
    assert (found.kills, found.executions >= plan.runs) == (5, True)


def test_the_witness_sees_what_ran_twice_at_once() -> None:
    lines = (
        "1.0 begin a 1\n2.0 begin a 2\n2.5 end a 1\n3 end a 2\n1 begin b 3\n2 begin b 4\n3 end b 4"
    )
    found = executions(lines)
    assert found["a"] == [(1.0, 2.5), (2.0, 3.0)]
    assert are_at_once(found["a"])
    assert not are_at_once(found["b"]), "the first one was killed"
