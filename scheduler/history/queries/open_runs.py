"""Unfinished runs, for the comparison with the broker's messages. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine, select

from scheduler.events.schema import PHASE
from scheduler.history.connecting import in_parts
from scheduler.history.models import Run
from scheduler.history.recording.stamps import attempt_of, moment_of, seq_of
from scheduler.rules.model.run_states import RunState

_IS_UNFINISHED = Run.state.in_([state.value for state in RunState if not state.is_final])

MOST = 50_000
"""Most runs of a look, the oldest first."""


class OpenRun(NamedTuple):
    """An unfinished run in the history."""

    id: str
    state: str
    job: str
    queue: str | None
    schedule: str | None
    schedule_uid: str | None
    worker: str | None
    stamp: str
    """The rank of the event that decided the state; a different rank means a change since."""

    @property
    def changed_at(self) -> datetime:
        """The moment of the event that decided the state."""
        return moment_of(self.stamp)

    @property
    def attempt(self) -> int:
        """The present or coming attempt; after a failed attempt, the next."""
        number = max(attempt_of(self.stamp), 1)
        has_failed = (
            self.state == RunState.RETRYING and seq_of(self.stamp) % 10 == PHASE["run.retried"]
        )
        return number + 1 if has_failed else number


_COLUMNS = (
    Run.id,
    Run.state,
    Run.job,
    Run.queue,
    Run.schedule,
    Run.schedule_uid,
    Run.worker,
    Run.state_stamp,
)


class OpenRuns:
    """The unfinished runs of a database. Methods raise SQLAlchemy's errors."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unchanged_since(self, moment: datetime) -> list[OpenRun]:
        """Return unfinished runs without an event after `moment`, the oldest first."""
        statement = select(*_COLUMNS).where(_IS_UNFINISHED).order_by(Run.key).limit(MOST)
        with self._engine.connect() as connection:
            runs = [OpenRun._make(row) for row in connection.execute(statement)]
        return [run for run in runs if run.changed_at <= moment]

    def stamps(self, run_ids: Sequence[str]) -> dict[str, str]:
        """Stamps of the unfinished runs among `run_ids`, by run id."""
        stamps: dict[str, str] = {}
        with self._engine.connect() as connection:
            for part in in_parts(run_ids):
                statement = select(Run.id, Run.state_stamp).where(Run.id.in_(part), _IS_UNFINISHED)
                stamps.update((row.id, row.state_stamp) for row in connection.execute(statement))
        return stamps
