"""Random lives of messages under a looking audit: no run with a trace has a verdict, and each run
whose message was taken away has one after two looks more.
"""

from random import Random

import pytest

from scheduler.queues.contents import lists_of
from scheduler.rules.model.run_states import RunState
from tests.support.runs.audited import QUEUE, Audited

STEPS = 120


class Life:
    """Messages that are sent, taken, given back, retried, ended and purged at random."""

    def __init__(self, audited: Audited, seed: int) -> None:
        self.audited = audited
        self.random = Random(seed)  # noqa: S311 - a seed to repeat a life, no secret
        self.with_worker: dict[str, int] = {}
        self.gone: set[str] = set()
        self.ended: set[str] = set()
        self.attempts: dict[str, int] = {}

    def send(self) -> None:
        """Send a run, of the schedule or by name, with any priority."""
        number = self.random.choice([None, 0, 3, 6, 9])
        run = self.audited.sent(number) if self.random.random() < 0.5 else self.audited.by_name()
        self.attempts[run] = 1

    def take(self) -> None:
        """A worker takes the oldest message of a list, and may tell so."""
        run = self.audited.taken(self.random.choice(lists_of(QUEUE)))
        if run is None:
            return
        self.with_worker[run] = self.attempts[run]
        if self.random.random() < 0.7:
            self.audited.received(run, self.attempts[run])

    def give_back(self) -> None:
        """A worker stops, and its message goes back."""
        if run := self._held():
            self.audited.given_back(run)
            self.audited.services.events.give_back({run: self.attempts[run]}, "w@h")
            del self.with_worker[run]

    def end(self) -> None:
        """A run ends: the event first, then the acknowledgement, perhaps a look later."""
        if run := self._held():
            self.audited.started(run, self.attempts[run])
            self.audited.ended(run, self.attempts[run])
            self.ended.add(run)
            if self.random.random() < 0.7:
                self.audited.acknowledged(run)
                del self.with_worker[run]

    def purge(self) -> None:
        """Somebody purges a list."""
        key = self.random.choice(lists_of(QUEUE))
        for text in self.audited.redis.lrange(key, 0, -1):
            (run,) = (run for run in self.attempts if f'"id": "{run}"' in text)
            if run not in self.ended:
                self.gone.add(run)
        self.audited.redis.delete(key)

    def look(self) -> None:
        """Look, and hold what was ended against what is gone."""
        assert set(self.audited.looks().ended) <= self.gone

    def _held(self) -> str | None:
        held = sorted(self.with_worker.keys() - self.ended)
        return self.random.choice(held) if held else None


@pytest.mark.parametrize("seed", range(6))
def test_only_runs_whose_messages_are_gone_have_a_verdict_and_all_of_them(
    audited: Audited, seed: int
) -> None:
    life = Life(audited, seed)
    steps = [life.send] * 6 + [life.take] * 5 + [life.give_back] + [life.end] * 2
    steps += [life.look] * 2 + [life.purge]
    for _ in range(STEPS):
        life.random.choice(steps)()
    life.purge()
    life.look()
    life.look()
    assert life.gone
    states = {run: audited.row(run).state for run in life.attempts}
    assert {run for run, state in states.items() if state == RunState.LOST} == life.gone
    assert {states[run] for run in life.ended} <= {RunState.SUCCEEDED}
