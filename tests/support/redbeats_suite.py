"""Runs RedBeat's own tests, from a given folder, and writes the outcome of each as JSON.

    python -m tests.support.redbeats_suite FOLDER stock|ours

With `ours`, the scheduler class is replaced. A process of its own, because RedBeat's tests are a
package called `tests` too.
"""

import json
import sys
import unittest
from pathlib import Path
from typing import Any


class Outcomes(unittest.TestResult):
    """One word for each test."""

    def __init__(self) -> None:
        super().__init__()
        self.words: dict[str, str] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.words[test.id()] = "passed"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self.words[test.id()] = "skipped"

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self.words[test.id()] = "failed"

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self.words[test.id()] = "failed"


def main(folder: str, which: str) -> None:
    """Run them."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    sys.path.insert(0, folder)
    import redbeat

    if which == "ours":
        from scheduler.beat import Scheduler

        redbeat.RedBeatScheduler = Scheduler
    outcomes = Outcomes()
    unittest.defaultTestLoader.discover(str(Path(folder) / "tests"), top_level_dir=folder).run(
        outcomes
    )
    sys.stdout.write(json.dumps(outcomes.words))


if __name__ == "__main__":
    main(*sys.argv[1:])
