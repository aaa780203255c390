"""Shared code of benchmarks: description of the machine, stopwatch, table. Knows no benchmark."""

import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter_ns

import click

REPEATS = 5


@dataclass(frozen=True)
class Timing:
    """Seconds per question: the mean over all questions, and the slowest question."""

    mean: float
    worst: float

    def __str__(self) -> str:
        return f"{shown(self.mean)} / {shown(self.worst)}"


def machine() -> str:
    """Return processor, load and Python version in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        models = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if "model name" in line
        ]
        model = models[0] if models else model
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{model}, {os.cpu_count()} CPUs{load}, {platform.system()}, Python "
        f"{platform.python_version()}"
    )


def versions(*packages: str) -> str:
    """Return the versions of the compared packages."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} missing")
    return ", ".join(found)


def time_each(questions: Sequence[Callable[[], object]], repeats: int = REPEATS) -> Timing:
    """Time every question `repeats` times.

    The fastest answer of a question counts, so that pauses of the machine are not taken for work:
    `worst` is the most expensive question, not a moment with other load.
    """
    best = []
    for question in questions:
        question()
        taken = []
        for _ in range(repeats):
            begun = perf_counter_ns()
            question()
            taken.append(perf_counter_ns() - begun)
        best.append(min(taken))
    return Timing(mean=sum(best) / len(best) / 1e9, worst=max(best) / 1e9)


def shown(seconds: float) -> str:
    """Return a time with a suitable unit."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def ratio(theirs: Timing | None, own: Timing) -> str:
    """Return the mean of `theirs`, and the ratio to `own`."""
    return "-" if theirs is None else f"{shown(theirs.mean)} ({theirs.mean / own.mean:.1f}x)"


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their heads, aligned."""
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    click.echo(f"\n{title}")
    for row in (heads, ["-" * width for width in widths], *rows):
        cells = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells))
    sys.stdout.flush()
