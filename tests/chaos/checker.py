"""The invariants that must hold after any kill. Pure: takes the witness's account, returns
sentences; no sentence is the wanted answer.

I1 entry advanced ⇔ message published ⇔ event in the stream. I2 no tick is dispatched twice. I3
edits and deletions stand. I4 no process ends by itself. I5 one bad entry costs only itself. I9
every tick has one verdict. And the runs of a schedule come in the order of their ticks, waiting
ticks included.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SHOWN = 3

LEFT_BEHIND = timedelta(seconds=30)
"""Longest lag of a schedule behind the others, all due every second, at the end."""


@dataclass(frozen=True)
class Verdict:
    """An event's verdict on ticks: queued as a run, or a range without runs."""

    uid: str
    first: datetime
    last: datetime
    count: int
    verdict_text: str
    run: str = ""


@dataclass
class Account:
    """Everything that the witness saw."""

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


def check(account: Account) -> Finding:
    """Hold the account against the invariants."""
    told: Counter[str] = Counter(verdict.run for verdict in account.verdicts if verdict.run)
    by_tick = _by_tick(account)
    silent = [
        f"{uid} {tick:%H:%M:%S}"
        for uid in account.reached
        for tick in _ticks(account, uid)
        if (uid, tick) not in by_tick
    ]
    unsent = [run for run in told if run not in account.messages]
    untold = [run for run in account.messages if run not in told]
    double = sum(count - 1 for count in account.messages.values())
    twice = [
        f"{uid} {tick:%H:%M:%S}: {', '.join(verdict_text)}"
        for (uid, tick), verdict_text in by_tick.items()
        if len(verdict_text) > 1
    ]
    faults = [
        *_sentence("I1: a run is told of that no message starts", unsent),
        *_sentence("I1: a message starts a run that no event tells of", untold),
        *_sentence("I1: a tick has a verdict that its entry was not moved past", _ahead(account)),
        *_sentence(
            "I2: a run was sent twice",
            [run for run, count in account.messages.items() if count > 1],
        ),
        *_sentence("I3: an edit was undone", account.edits_undone),
        *_sentence("I4: a process ended by itself", account.died),
        *_sentence("I5: a bad entry is not set aside", account.not_set_aside),
        *_sentence("I9: a tick has no verdict", silent),
        *_sentence("I9: a tick has two verdicts", twice),
        *_sentence("I9: a verdict is on what is no tick", _off_the_grid(account)),
        *_sentence("I9: a schedule is gone, or was left behind", _left_behind(account)),
        *_sentence("I9: a range does not have the ticks that it counts", _wrong_ranges(account)),
        *_sentence("a run was sent after that of a later tick", _out_of_order(account)),
    ]
    return Finding(
        ticks=sum(len(_ticks(account, uid)) for uid in account.reached),
        sent=sum(account.messages.values()),
        ruled=sum(verdict.count for verdict in account.verdicts if not verdict.run),
        lost=len(silent) + len(unsent),
        double=double,
        faults=faults,
    )


def _ticks(account: Account, uid: str) -> list[datetime]:
    """The ticks of a schedule that must have a verdict."""
    begun, every = account.begun[uid], account.every[uid]
    count = (account.reached[uid] - begun) // every
    return [begun + every * number for number in range(1, count + 1)]


def _by_tick(account: Account) -> Mapping[tuple[str, datetime], list[str]]:
    """The verdicts on each tick."""
    found: dict[tuple[str, datetime], list[str]] = defaultdict(list)
    for verdict in account.verdicts:
        if verdict.uid not in account.every:
            continue
        tick = verdict.first
        while tick <= verdict.last:
            found[verdict.uid, tick].append(verdict.verdict_text)
            tick += account.every[verdict.uid]
    return found


def _ahead(account: Account) -> list[str]:
    """Verdicts on ticks later than the last that Beat remembers."""
    return [
        f"{verdict.uid} {verdict.last:%H:%M:%S}: {verdict.verdict_text}"
        for verdict in account.verdicts
        if verdict.uid in account.reached and verdict.last > account.reached[verdict.uid]
    ]


def _left_behind(account: Account) -> list[str]:
    """Schedules that Beat has forgotten: their later ticks have no verdict, and would not be missed
    above.
    """
    newest = max(account.reached.values(), default=None)
    return [
        uid
        for uid in account.begun
        if newest is None
        or uid not in account.reached
        or newest - account.reached[uid] > LEFT_BEHIND
    ]


def _off_the_grid(account: Account) -> list[str]:
    """Verdicts on moments at which a schedule is not due."""
    return [
        f"{verdict.uid} {moment}: {verdict.verdict_text}"
        for verdict in account.verdicts
        if verdict.uid in account.every
        for moment in {verdict.first, verdict.last}
        if moment <= account.begun[verdict.uid]
        or (moment - account.begun[verdict.uid]) % account.every[verdict.uid]
    ]


def _out_of_order(account: Account) -> list[str]:
    """Runs after a run of a later tick of the same schedule; verdicts are in the order of
    events.
    """
    newest: dict[str, datetime] = {}
    found = []
    for verdict in account.verdicts:
        if verdict.run and verdict.first < newest.get(verdict.uid, verdict.first):
            found.append(f"{verdict.uid} {verdict.first:%H:%M:%S}")
        elif verdict.run:
            newest[verdict.uid] = verdict.first
    return found


def _wrong_ranges(account: Account) -> list[str]:
    """Ranges whose number differs from the number of their ticks."""
    return [
        f"{verdict.verdict_text} {verdict.first:%H:%M:%S}-{verdict.last:%H:%M:%S} counts {verdict.count}"
        for verdict in account.verdicts
        if verdict.uid in account.every
        and verdict.count != (verdict.last - verdict.first) // account.every[verdict.uid] + 1
    ]


def _sentence(what: str, cases: list[str]) -> list[str]:
    """One line for all cases of a fault; nothing without cases."""
    more = f" and {len(cases) - SHOWN} more" if len(cases) > SHOWN else ""
    return [f"{what}: {'; '.join(cases[:SHOWN])}{more}"] if cases else []
