"""A store, a recorder and a healer on real servers; a test says when each of them works."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis import Redis

from scheduler.clock import utc_now
from scheduler.healing.healer import Healer
from scheduler.healing.notices import Repair
from scheduler.history.queries.views import RevisionView
from scheduler.history.recording.recorder import Recorder
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Schedule
from scheduler.services.services import Services
from tests.support.builders import a_spec


@dataclass
class House:
    """The services of a house, and shortcuts for tests."""

    services: Services
    recorder: Recorder
    healer: Healer
    set_back: Callable[[], None] = lambda: None

    def record(self) -> None:
        """Let the history hear of everything."""
        while self.recorder.run_once(utc_now()):
            pass

    def saved(self, name: str = "nightly-report", **parts: object) -> Schedule:
        """A schedule that was created an hour ago, and is recorded."""
        schedule = self.services.schedules.create(
            a_spec(name, **parts), edit=Edit(actor="ada", now=an_hour_ago())
        )
        self.record()
        return schedule

    def edited(self, name: str = "nightly-report", **parts: object) -> Schedule:
        """The next revision of a schedule, recorded too."""
        store = self.services.schedules
        old = store.get(name)
        spec = old.spec().model_copy(update=parts)
        schedule = store.edit(
            name, spec, revision=old.revision, edit=Edit(actor="ben", now=utc_now())
        )
        self.record()
        return schedule

    def heal(self) -> list[Repair]:
        """One pass over recorded changes, after which another pass finds nothing."""
        done = self.healer.run_once(utc_now())
        self.record()
        assert self.healer.run_once(utc_now()) == []
        assert self.another().findings() == []
        return done

    def another(self) -> Healer:
        """A healer that trusts no earlier look."""
        return self.services.healer()

    def past(self, schedule: Schedule) -> list[RevisionView]:
        """The schedule's changes, newest first."""
        self.record()
        return self.services.history.revisions(schedule.uid)

    def copy(self) -> Callable[[], None]:
        """Copy all of Redis. Returns a function that restores the copy."""
        raw = Redis.from_url(self.services.settings.redis_url)
        dump = {key: raw.dump(key) for key in raw.scan_iter()}

        def set_back() -> None:
            with raw.pipeline(transaction=True) as pipe:
                pipe.flushall()
                for key, value in dump.items():
                    pipe.restore(key, 0, value)
                pipe.execute()

        return set_back


def an_hour_ago() -> datetime:
    return utc_now() - timedelta(hours=1)
