"""What must hold, whatever was killed. Pure: the witness's account in, sentences out; none is the
wanted answer.

I1 entry advanced ⇔ message published ⇔ event in the stream. I2 no tick is dispatched twice. I3
edits and deletions stand. I4 no process ends by itself. I5 one bad entry costs only itself. I9
every tick has a verdict, and one only. And the runs of a schedule come in the order of their ticks,
those that waited for others too.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SHOWN = 3

LEFT_BEHIND = timedelta(seconds=30)
"""How much earlier than any other schedule, all due every second, one may have stopped when all is
over.
"""


@dataclass(frozen=True)
class Verdict:
    """What an event says of ticks: one that is queued as a run, or a range that is none."""

    uid: str
    first: datetime
    last: datetime
    count: int
    said: str
    run: str = ""


@dataclass
class Account:
    """All that was seen."""

    messages: Counter[str] = field(default_factory=Counter)
    """Run ids in the queue, with how often each came."""

    verdicts: list[Verdict] = field(default_factory=list)
    begun: dict[str, datetime] = field(default_factory=dict)
    """By uid: the moment after which a schedule's ticks count."""

    every: dict[str, timedelta] = field(default_factory=dict)
    reached: dict[str, datetime] = field(default_factory=dict)
    """By uid: the last tick that Beat remembers to have dealt with."""

    edits_undone: list[str] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    not_set_aside: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """The account in numbers, and in sentences where something does not hold."""

    ticks: int
    sent: int
    ruled: int
    """Ticks that became no run, with a reason."""

    lost: int
    """Ticks that Beat has dealt with and that have neither a run nor a reason, or a run without a
    message.
    """

    double: int
    """Messages too many."""

    faults: list[str]


def check(seen: Account) -> Finding:
    """Hold the account against the invariants."""
    told: Counter[str] = Counter(verdict.run for verdict in seen.verdicts if verdict.run)
    by_tick = _by_tick(seen)
    silent = [
        f"{uid} {tick:%H:%M:%S}"
        for uid in seen.reached
        for tick in _ticks(seen, uid)
        if (uid, tick) not in by_tick
    ]
    unsent = [run for run in told if run not in seen.messages]
    untold = [run for run in seen.messages if run not in told]
    double = sum(count - 1 for count in seen.messages.values())
    twice = [
        f"{uid} {tick:%H:%M:%S}: {', '.join(said)}"
        for (uid, tick), said in by_tick.items()
        if len(said) > 1
    ]
    faults = [
        *_sentence("I1: a run is told of that no message starts", unsent),
        *_sentence("I1: a message starts a run that no event tells of", untold),
        *_sentence("I1: a tick has a verdict that its entry was not moved past", _ahead(seen)),
        *_sentence(
            "I2: a run was sent twice", [run for run, count in seen.messages.items() if count > 1]
        ),
        *_sentence("I3: an edit was undone", seen.edits_undone),
        *_sentence("I4: a process ended by itself", seen.died),
        *_sentence("I5: a bad entry is not set aside", seen.not_set_aside),
        *_sentence("I9: a tick has no verdict", silent),
        *_sentence("I9: a tick has two verdicts", twice),
        *_sentence("I9: a verdict is on what is no tick", _off_the_grid(seen)),
        *_sentence("I9: a schedule is gone, or was left behind", _left_behind(seen)),
        *_sentence("I9: a range does not have the ticks that it counts", _wrong_ranges(seen)),
        *_sentence("a run was sent after that of a later tick", _out_of_order(seen)),
    ]
    return Finding(
        ticks=sum(len(_ticks(seen, uid)) for uid in seen.reached),
        sent=sum(seen.messages.values()),
        ruled=sum(verdict.count for verdict in seen.verdicts if not verdict.run),
        lost=len(silent) + len(unsent),
        double=double,
        faults=faults,
    )


def _ticks(seen: Account, uid: str) -> list[datetime]:
    """The ticks of a schedule that must have a verdict."""
    begun, every = seen.begun[uid], seen.every[uid]
    count = (seen.reached[uid] - begun) // every
    return [begun + every * number for number in range(1, count + 1)]


def _by_tick(seen: Account) -> Mapping[tuple[str, datetime], list[str]]:
    """What was said of each tick."""
    found: dict[tuple[str, datetime], list[str]] = defaultdict(list)
    for verdict in seen.verdicts:
        if verdict.uid not in seen.every:
            continue
        tick = verdict.first
        while tick <= verdict.last:
            found[verdict.uid, tick].append(verdict.said)
            tick += seen.every[verdict.uid]
    return found


def _ahead(seen: Account) -> list[str]:
    """Verdicts on ticks later than the last that Beat remembers."""
    return [
        f"{verdict.uid} {verdict.last:%H:%M:%S}: {verdict.said}"
        for verdict in seen.verdicts
        if verdict.uid in seen.reached and verdict.last > seen.reached[verdict.uid]
    ]


def _left_behind(seen: Account) -> list[str]:
    """Schedules that Beat has forgotten: what was due since then has no verdict, and would not be
    missed above.
    """
    newest = max(seen.reached.values(), default=None)
    return [
        uid
        for uid in seen.begun
        if newest is None or uid not in seen.reached or newest - seen.reached[uid] > LEFT_BEHIND
    ]


def _off_the_grid(seen: Account) -> list[str]:
    """Verdicts on moments at which a schedule is not due."""
    return [
        f"{verdict.uid} {moment}: {verdict.said}"
        for verdict in seen.verdicts
        if verdict.uid in seen.every
        for moment in {verdict.first, verdict.last}
        if moment <= seen.begun[verdict.uid]
        or (moment - seen.begun[verdict.uid]) % seen.every[verdict.uid]
    ]


def _out_of_order(seen: Account) -> list[str]:
    """Runs that are told of after one of a later tick of the same schedule; verdicts are in the
    order of events.
    """
    newest: dict[str, datetime] = {}
    found = []
    for verdict in seen.verdicts:
        if verdict.run and verdict.first < newest.get(verdict.uid, verdict.first):
            found.append(f"{verdict.uid} {verdict.first:%H:%M:%S}")
        elif verdict.run:
            newest[verdict.uid] = verdict.first
    return found


def _wrong_ranges(seen: Account) -> list[str]:
    """Ranges whose number is not that of their ticks."""
    return [
        f"{verdict.said} {verdict.first:%H:%M:%S}-{verdict.last:%H:%M:%S} counts {verdict.count}"
        for verdict in seen.verdicts
        if verdict.uid in seen.every
        and verdict.count != (verdict.last - verdict.first) // seen.every[verdict.uid] + 1
    ]


def _sentence(what: str, cases: list[str]) -> list[str]:
    """One line for all cases of a fault; nothing where there are none."""
    more = f" and {len(cases) - SHOWN} more" if len(cases) > SHOWN else ""
    return [f"{what}: {'; '.join(cases[:SHOWN])}{more}"] if cases else []
