"""What must hold after any fault, by an account that Beatdesk had no part in. Pure.

every accepted run has one row, and its state is final
a run whose message nobody took away was executed to its end, and the row says so
a run was never executed twice at once, nor again after an end that was recorded
a row has at least as many attempts as the run had executions
every tick of every schedule has exactly one verdict
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

SHOWN = 5

MEANWHILE = 3.0
"""Seconds in which the end of a run may have been reported and not recorded when its process died."""

OPEN = {"queued", "running", "retrying"}


class JobEvent(NamedTuple):
    """What a job reported to the witness: `what` is `start` or `end`, `at` in seconds since 1970."""

    run: str
    what: str
    pid: int
    at: float


class Row(NamedTuple):
    """A run's row in the history."""

    run: str
    state: str
    attempts: int
    explained: bool
    """Whether the row has a reason or an error."""


class Ticks(NamedTuple):
    """Ticks with one verdict; `count` of them from `first` to `last`."""

    uid: str
    first: datetime
    last: datetime
    count: int


@dataclass
class Account:
    """The world as an outsider observes it."""

    accepted: set[str] = field(default_factory=set)
    """Runs whose sending was confirmed."""

    taken_away: set[str] = field(default_factory=set)
    """Runs whose message a fault took out of the queue."""

    job_events: list[JobEvent] = field(default_factory=list)
    deaths: dict[int, float] = field(default_factory=dict)
    """When a fault killed a process, in seconds since 1970, by process id."""

    rows: dict[str, Row] = field(default_factory=dict)
    ticks: list[Ticks] = field(default_factory=list)
    expected: dict[str, tuple[datetime, datetime, timedelta]] = field(default_factory=dict)
    """By uid of a schedule: its first and last tick, and the interval."""


@dataclass(frozen=True)
class Finding:
    """The account in numbers, and in sentences where something does not hold."""

    runs: int
    executions: int
    repeated: int
    """Executions beyond the first of a run, each after a death."""

    lost: int
    """Runs that nobody took away and that were never executed."""

    faults: list[str]


def check(account: Account) -> Finding:
    """Hold the account against the invariants."""
    executions = _executions(account)
    ends = {event.run for event in account.job_events if event.what == "end"}
    runs = account.accepted | set(executions)
    never = sorted(runs - set(executions) - account.taken_away)
    never = [run for run in never if not _was_ruled_out(account.rows.get(run))]
    faults = [
        *_named("accepted, and has no row", sorted(runs - set(account.rows))),
        *_named("row is open for good", _with_state(account.rows.values(), OPEN)),
        *_named("never executed", never),
        *_named("executed to its end, and is called something else", _misnamed(account, ends)),
        *_named("called succeeded, and never came to its end", _invented(account, ends)),
        *_named("verdict without a reason", _unexplained(account.rows.values())),
        *_named("executed twice at once", _at_once(executions)),
        *_named("executed again after its end", _again(account, executions)),
        *_named("has fewer attempts than executions", _uncounted(account, executions)),
        *_ledger(account),
    ]
    total = sum(map(len, executions.values()))
    return Finding(len(runs), total, total - len(executions), len(never), faults)


class _Execution(NamedTuple):
    begin: float
    end: float
    is_whole: bool


def _executions(account: Account) -> dict[str, list[_Execution]]:
    """The executions of each run, in order. One whose end was not reported ended with its process."""
    begun: dict[tuple[str, int], list[float]] = defaultdict(list)
    found: dict[str, list[_Execution]] = defaultdict(list)
    for event in sorted(account.job_events, key=lambda one: one.at):
        if event.what == "start":
            begun[event.run, event.pid].append(event.at)
        elif begun[event.run, event.pid]:
            begin = begun[event.run, event.pid].pop(0)
            found[event.run].append(_Execution(begin, event.at, True))
    for (run, pid), begins in begun.items():
        for begin in begins:
            found[run].append(_Execution(begin, account.deaths.get(pid, begin), False))
    return {run: sorted(executions) for run, executions in found.items()}


def _at_once(executions: Mapping[str, list[_Execution]]) -> list[str]:
    return [
        run
        for run, ones in executions.items()
        if any(before.end > after.begin for before, after in pairwise(ones))
    ]


def _again(account: Account, executions: Mapping[str, list[_Execution]]) -> list[str]:
    """Runs that began again after an end that had time to be recorded."""
    deaths = sorted(account.deaths.values())

    def is_excused(end: float) -> bool:
        return any(end <= death <= end + MEANWHILE for death in deaths)

    return [
        run
        for run, ones in executions.items()
        if any(one.is_whole and not is_excused(one.end) for one in ones[:-1])
    ]


def _uncounted(account: Account, executions: Mapping[str, list[_Execution]]) -> list[str]:
    return [
        f"{run} ({account.rows[run].attempts} of {len(ones)})"
        for run, ones in executions.items()
        if run in account.rows and account.rows[run].attempts < len(ones)
    ]


def _was_ruled_out(row: Row | None) -> bool:
    """Whether a policy decided that the run does not start."""
    return row is not None and row.state in {"skipped", "expired", "missed", "revoked"}


def _misnamed(account: Account, ends: set[str]) -> list[str]:
    return [
        f"{run} ({account.rows[run].state})"
        for run in sorted(ends - account.taken_away)
        if run in account.rows and account.rows[run].state not in {"succeeded", *OPEN}
    ]


def _invented(account: Account, ends: set[str]) -> list[str]:
    return [
        run for run, row in account.rows.items() if row.state == "succeeded" and run not in ends
    ]


def _with_state(rows: Iterable[Row], states: set[str]) -> list[str]:
    return [f"{row.run} ({row.state})" for row in rows if row.state in states]


def _unexplained(rows: Iterable[Row]) -> list[str]:
    final = {"lost", "failed", "skipped", "expired"}
    return [f"{row.run} ({row.state})" for row in rows if row.state in final and not row.explained]


def _ledger(account: Account) -> list[str]:
    """Ticks without a verdict, or with two."""
    faults = []
    for uid, (first, last, every) in account.expected.items():
        covered: dict[datetime, int] = defaultdict(int)
        for ticks in account.ticks:
            if ticks.uid == uid:
                for number in range(ticks.count):
                    covered[ticks.first + number * every] += 1
        wanted = [first + number * every for number in range((last - first) // every + 1)]
        none = [f"{tick:%H:%M:%S}" for tick in wanted if not covered[tick]]
        double = [f"{tick:%H:%M:%S}" for tick in wanted if covered[tick] > 1]
        faults += _named(f"{uid}: tick without a verdict", none)
        faults += _named(f"{uid}: tick with two verdicts", double)
    return faults


def _named(what: str, found: list[str]) -> list[str]:
    if not found:
        return []
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return [f"{what}: {len(found)}: {', '.join(found[:SHOWN])}{more}"]
