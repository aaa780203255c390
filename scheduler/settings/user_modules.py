"""A user's own modules: how a process finds them, and which of them collide with Beatdesk's.

Jobs and Flask applications lie in the folder in which a process is started. That folder comes last
on the path: a `config.py`, `app.py` or `redis.py` of theirs is found by their code, and hides
nothing that Beatdesk or a library imports.
"""

import sys
from pathlib import Path
from typing import NamedTuple

OURS = ("scheduler", "webadmin")
"""The names of Beatdesk's packages."""

_PARENT = Path(__file__).resolve().parents[2]
"""The folder that holds Beatdesk's packages: a checkout, or site-packages."""


class Collision(NamedTuple):
    """A module of the user's that has the name of one of Beatdesk's packages."""

    path: Path
    package: str

    def __str__(self) -> str:
        return (
            f"{self.path} has the name of Beatdesk's package {self.package}: started in this "
            f"folder, {_OTHERS[self.package]} finds that one instead. Use {_REMEDIES[self.package]}"
            f", or rename it; code that says `import {self.package}` gets Beatdesk's"
        )


_OTHERS = {
    "scheduler": "`celery -A scheduler` or `python -m scheduler`",
    "webadmin": "`gunicorn 'webadmin:create_app()'`",
}
_REMEDIES = {
    "scheduler": "`beatdesk worker` and `beatdesk beat`",
    "webadmin": "`beatdesk web`",
}


def put_last(folder: Path) -> None:
    """Let the modules of `folder` be found, after all others. Python's `-m` had put it first."""
    text = str(folder)
    sys.path[:] = [entry for entry in sys.path if entry not in ("", text)]
    sys.path.append(text)


def append(folder: Path) -> None:
    """Let the modules of `folder` be found, after all others; what somebody else has put first
    stays first, since Celery takes its own entry away again.
    """
    text = str(folder)
    if sys.path[-1] != text:
        sys.path.append(text)


def collisions(folder: Path) -> list[Collision]:
    """The modules in `folder` that have the names of Beatdesk's packages."""
    if folder.resolve() == _PARENT:
        return []
    places = ((name, place) for name in OURS for place in (f"{name}.py", f"{name}/__init__.py"))
    return [
        Collision(folder / place.removesuffix("/__init__.py"), name)
        for name, place in places
        if (folder / place).is_file()
    ]
