"""Seconds to read a set of many schedules: with Beatdesk's reader, and with ruamel.yaml.

python -m tests.bench.yaml_readers [SCHEDULES]

CPU seconds, each the median of three. The figures are the reason not to use ruamel.yaml. Where
ruamel.yaml.clib is installed, the binding to libyaml is measured too.
"""

import sys
from collections import deque
from collections.abc import Callable
from time import process_time
from typing import Any

from ruamel.yaml import YAML, __with_libyaml__

from scheduler.sets import yaml_set, yaml_text
from scheduler.sets.yaml_set import ScheduleSet
from tests.bench.import_of_schedules import some_specs


def seconds_of(read: Callable[[str], Any], text: str) -> float:
    """Return the CPU seconds of one reading, the median of three."""
    measured = []
    for _ in range(3):
        began = process_time()
        read(text)
        measured.append(process_time() - began)
    return sorted(measured)[1]


def events_of(text: str, *, pure: bool) -> None:
    """Parse with ruamel.yaml, and build nothing."""
    deque(YAML(typ="safe", pure=pure).parse(text), maxlen=0)


def main(schedules: str = "10000") -> None:
    """Read the same text with each reader, and print the seconds."""
    text = yaml_set.write(ScheduleSet(some_specs(int(schedules))))
    readers: dict[str, Callable[[str], Any]] = {
        "ours, values and lines": yaml_text.read,
        "ruamel.yaml, values and lines": lambda text: YAML(typ="rt", pure=True).load(text),
        "ruamel.yaml, events alone": lambda text: events_of(text, pure=True),
    }
    if __with_libyaml__:
        readers["ruamel.yaml with libyaml, events alone"] = lambda text: events_of(text, pure=False)
    for name, read in readers.items():
        seconds = f"{seconds_of(read, text):.2f} s"
        print(f"{name}: {seconds} for {schedules} schedules, {len(text)} characters")  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
