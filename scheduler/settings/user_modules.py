"""A user's own modules: the import path, and collisions with Beatdesk's packages.

Jobs and Flask applications lie in the folder in which a process is started. The folder comes last
on the path: a user's `config.py`, `app.py` or `redis.py` is found by the user's code, and hides no
module that Beatdesk or a library imports.
"""

import sys
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("scheduler", "webadmin")
"""The names of Beatdesk's packages."""

_PARENT = Path(__file__).resolve().parents[2]
"""The folder of Beatdesk's packages: a checkout, or site-packages."""


class Collision(NamedTuple):
    """A user's module with the name of one of Beatdesk's packages."""

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
    """Move `folder` to the end of `sys.path`; `python -m` puts the current folder first."""
    text = str(folder)
    sys.path[:] = [entry for entry in sys.path if entry not in ("", text)]
    sys.path.append(text)


def append(folder: Path) -> None:
    """Append `folder` to `sys.path`, without removing an entry for the same folder.

    Celery puts the folder first while loading an app, and removes its own entry afterwards.
    """
    text = str(folder)
    if sys.path[-1] != text:
        sys.path.append(text)


def collisions(folder: Path) -> list[Collision]:
    """Return the modules in `folder` with the names of Beatdesk's packages."""
    if folder.resolve() == _PARENT:
        return []
    places = ((name, place) for name in PACKAGES for place in (f"{name}.py", f"{name}/__init__.py"))
    return [
        Collision(folder / place.removesuffix("/__init__.py"), name)
        for name, place in places
        if (folder / place).is_file()
    ]
