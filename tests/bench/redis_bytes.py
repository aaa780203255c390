"""Bytes of Redis's append-only file for each run, by command and key.

python -m tests.bench.redis_bytes APPEND_ONLY_FILE [FROM_BYTE]

Start Beatdesk with its embedded server (`beatdesk up`), note the size of
`data/valkey/appendonlydir/*.incr.aof`, let schedules run, and give the size as FROM_BYTE, so that
only what came afterwards is counted. A run is an event `run.succeeded`. The aim: 3 kB a run.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import table

_KIND = re.compile(rb'"kind":"([a-z_.]+)"')
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{20,}.*")
_ENTRY = re.compile(r"redbeat:[^:].*")
SHOWN = 30


def commands(data: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the size of each command, and its words; a command cut at the end is left out."""
    place = data.find(b"*")
    while 0 <= place < len(data):
        start = place
        if data[place : place + 1] == b"#":  # a remark of the server
            place = data.find(b"\n", place) + 1
            continue
        line = data.find(b"\r\n", place)
        count, place, words = int(data[place + 1 : line]), line + 2, []
        for _ in range(count):
            line = data.find(b"\r\n", place)
            if line < 0:
                return
            size = int(data[place + 1 : line])
            words.append(data[line + 2 : line + 2 + size])
            place = line + 2 + size + 2
        if place > len(data):
            return
        yield place - start, words


def label(words: list[bytes]) -> str:
    """Return the command with its key, without the names of runs and schedules."""
    text = b" ".join(words[:2]).decode("utf-8", "replace")
    text = _ENTRY.sub("redbeat:NAME", _ID.sub("ID", text))
    kind = _KIND.search(words[-1]) if words[0].upper() == b"XADD" else None
    return text if kind is None else f"{text} {kind[1].decode()}"


def main(path: str, start: str = "0") -> None:
    """Print the bytes of a run, and of each command for a run."""
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for size, words in commands(Path(path).read_bytes()[int(start) :]):
        sizes[label(words)] += size
        counts[label(words)] += 1
    runs = sum(count for name, count in counts.items() if name.endswith(" run.succeeded"))
    if not runs:
        sys.exit("no run has succeeded in this part of the file")
    rows = [
        [name, f"{size / runs:.0f}", f"{counts[name] / runs:.2f}"]
        for name, size in sizes.most_common(SHOWN)
    ]
    heads = ["command", "bytes a run", "times a run"]
    table(f"{runs} runs, {sum(sizes.values()) / runs:.0f} bytes each", heads, rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
