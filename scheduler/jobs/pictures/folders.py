"""The folders of pictures and thumbnails, each reached name by name (`jobs.roots`): read there,
written here.

A thumbnail is written beside its place (`shelf`), forced to the disk, given its picture's time, and
moved. So there is never half of one, and one that has its picture's time is of this picture.
"""

import fnmatch
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from scheduler.errors import Refused
from scheduler.jobs.pictures.shelf import Shelf
from scheduler.jobs.pictures.shrinking import ENDINGS, Look, PictureBroken, shrunk
from scheduler.jobs.roots import FILE, Found, Walk, opened

MOST_PROBLEMS = 20

Place = tuple[Path, str]
"""A root, and a folder below it."""


@dataclass(frozen=True)
class Plan:
    """What to make of which pictures."""

    widths: tuple[int, ...]
    pattern: str
    look: Look
    most: int
    again: bool
    dry_run: bool


@dataclass
class Made:
    """What was found and made; in a dry run, what would be."""

    pictures: int = 0
    """Those that were looked at, broken ones among them."""
    worked_on: int = 0
    """Those of which something was to be made."""
    made: int = 0
    unchanged: int = 0
    """Thumbnails that were made, and such as are there already."""
    bytes: int = 0
    broken: int = 0
    capped: bool = False
    problems: list[dict[str, str]] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    """What was left alone, by reason."""

    @property
    def whole(self) -> int:
        """Pictures that are not broken, as far as known."""
        return self.pictures - self.broken


Tell = Callable[[Made, int], None]
"""Hears what is done, and how many pictures there are."""


def thumbnails(source: Place, target: Place, plan: Plan, tell: Tell) -> Made:
    """Make them. Raises Refused where a folder cannot be used, NotWritten where the target takes no
    files.
    """
    refuse_target_over_source(source, target)
    shelf = Shelf(*target, make=not plan.dry_run)
    done = Made()
    with opened(*source) as folder:
        avoided = shelf.identity()
        total = sum(1 for _ in _pictures(folder, plan, Walk(avoided)))
        walk = Walk(avoided)
        done.left = walk.left
        for found in _pictures(folder, plan, walk):
            _one(found, plan, shelf, done)
            if done.capped:
                break
            tell(done, max(total, done.pictures))
    return done


def refuse_target_over_source(source: Place, target: Place) -> None:
    """Raise Refused where thumbnails would stand among the pictures, and could replace them."""
    pictures, made_there = (place[0].joinpath(place[1]) for place in (source, target))
    if pictures.is_relative_to(made_there):
        raise Refused(
            f"to_folder: {made_there} is or holds the folder of the pictures; choose one beside "
            "or below it",
            field="to_folder",
        )


def _pictures(folder: int, plan: Plan, walk: Walk) -> Iterator[Found]:
    """The pictures, by their names; their ways are from the folder of the pictures on."""
    for found in walk.files(folder, PurePosixPath()):
        name = found.shown.name
        if not fnmatch.fnmatchcase(name, plan.pattern):
            continue
        if name.lower().endswith(ENDINGS):
            yield found
        else:
            walk.leave("no picture, by its name")


def _one(found: Found, plan: Plan, shelf: Shelf, done: Made) -> None:
    """All thumbnails of a picture that are not there yet."""
    shown = found.shown.with_name(plan.look.name_of(found.shown.name))
    time = found.facts.st_mtime_ns
    wanted = [width for width in plan.widths if plan.again or shelf.time_of(width, shown) != time]
    if wanted and done.worked_on == plan.most:
        done.capped = True
        return
    done.pictures += 1
    done.unchanged += len(plan.widths) - len(wanted)
    if not wanted:
        return
    done.worked_on += 1
    if plan.dry_run:
        done.made += len(wanted)
        return
    try:
        small = _read(found, wanted, plan.look)
    except PictureBroken as problem:
        done.broken += 1
        if len(done.problems) < MOST_PROBLEMS:
            done.problems.append({"picture": found.shown.as_posix(), "problem": str(problem)})
        return
    for width, content in small.items():
        shelf.write(width, shown, content, time)
        done.made += 1
        done.bytes += len(content)


def _read(found: Found, widths: list[int], look: Look) -> dict[int, bytes]:
    """The thumbnails of a picture. Raises PictureBroken, also where it cannot be opened or was
    swapped.
    """
    try:
        handle = os.open(found.shown.name, FILE, dir_fd=found.folder)
    except OSError as error:
        raise PictureBroken(f"cannot be opened: {error.strerror}") from None
    with open(handle, "rb") as file:  # noqa: PTH123 # a handle has no path
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_mtime_ns != found.facts.st_mtime_ns:
            raise PictureBroken("was changed while it was looked at; the next run makes it")
        return shrunk(file, widths, look)
