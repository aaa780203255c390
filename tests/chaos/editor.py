"""A client that changes schedules while everything else fails: edits, pauses, resumes, deletes,
creates.

Accepted changes must stand (I3). A change without an answer counts as uncertain until the next
accepted change.
"""

from random import Random
from threading import Event, Thread

from redis.exceptions import RedisError

from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Spec
from scheduler.services.services import Services

ACTOR = "chaos"
EVERY = 0.15


class Editor(Thread):
    """A thread. `names` are schedules to change and pause, `born` is a schedule to delete and
    create.
    """

    def __init__(self, services: Services, names: list[str], born: Spec, seed: int) -> None:
        super().__init__(daemon=True)
        self._services, self._names, self._born = services, names, born
        self._dice = Random(seed)  # noqa: S311 - chance, not a secret
        self._wanted: dict[str, int] = {}
        self._number = 0
        self._over = Event()
        self.accepted = 0

    def run(self) -> None:
        """Until `finish`."""
        while not self._over.wait(EVERY):
            self._try(self._dice.choice(self._names))

    def finish(self) -> None:
        """End the thread; resume and edit each schedule once more, now that the server answers;
        delete `born`.
        """
        self._over.set()
        self.join()
        for name in self._names:
            if self._services.schedules.get(name).paused is not None:
                self._services.operations.resume(name, edit=Edit(actor=ACTOR, now=utc_now()))
            self._edit(name)
        if self._born.name in self._services.schedules.names():
            self._services.schedules.delete(self._born.name, edit=Edit(actor=ACTOR, now=utc_now()))

    def undone(self) -> list[str]:
        """Edits that do not stand."""
        found = [
            f"{name} has n={self._services.schedules.get(name).kwargs.get('n')}, accepted was "
            f"{number}"
            for name, number in self._wanted.items()
            if self._services.schedules.get(name).kwargs.get("n") != number
        ]
        if self._born.name in self._services.schedules.names():
            found.append(f"{self._born.name} was deleted and is there")
        return found

    def _try(self, name: str) -> None:
        """One change, whatever comes of it."""
        change = self._dice.choice([self._edit, self._edit, self._pause, self._be_born])
        try:
            change(name)
            self.accepted += 1
        except (BeatdeskError, RedisError):
            self._wanted.pop(name, None)

    def _edit(self, name: str) -> None:
        self._number += 1
        found = self._services.schedules.get(name)
        spec = found.spec().model_copy(update={"kwargs": {"n": self._number}})
        self._wanted.pop(name, None)
        self._services.schedules.edit(
            name, spec, revision=found.revision, edit=Edit(actor=ACTOR, now=utc_now())
        )
        self._wanted[name] = self._number

    def _pause(self, name: str) -> None:
        """Pause, or resume what is paused."""
        if self._services.schedules.get(name).paused is None:
            self._services.operations.pause(
                name, reason="chaos", edit=Edit(actor=ACTOR, now=utc_now())
            )
        else:
            self._services.operations.resume(name, edit=Edit(actor=ACTOR, now=utc_now()))

    def _be_born(self, _: str) -> None:
        if self._born.name in self._services.schedules.names():
            self._services.schedules.delete(self._born.name, edit=Edit(actor=ACTOR, now=utc_now()))
        else:
            self._services.schedules.create(self._born, edit=Edit(actor=ACTOR, now=utc_now()))
