"""Thumbnails of a folder's pictures; every folder is opened name by name (`jobs.roots`).

A thumbnail is written beside its place (`thumbnail_folder`), forced to the disk, given its
picture's time, and moved. So a thumbnail is whole or absent, and up to date if its time is the
picture's.
"""

import fnmatch
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from scheduler.errors import Refused
from scheduler.jobs.pictures.shrinking import ENDINGS, Look, PictureBroken, shrunk
from scheduler.jobs.pictures.thumbnail_folder import ThumbnailFolder
from scheduler.jobs.roots import FILE, Found, Walk, opened

MOST_PROBLEMS = 20

Place = tuple[Path, str]
"""A root, and a folder below it."""


@dataclass(frozen=True)
class Plan:
    """The thumbnails to make, and the pictures to choose, by pattern and number."""

    widths: tuple[int, ...]
    pattern: str
    look: Look
    most: int
    again: bool
    dry_run: bool


@dataclass
class Made:
    """Counts of pictures and thumbnails; a dry run counts the thumbnails of a real run."""

    pictures: int = 0
    """Examined pictures, including broken ones."""
    worked_on: int = 0
    """Pictures with missing or outdated thumbnails."""
    made: int = 0
    unchanged: int = 0
    """Thumbnails that existed and were up to date."""
    bytes: int = 0
    broken: int = 0
    capped: bool = False
    problems: list[dict[str, str]] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    """Number of entries left alone, by reason."""

    @property
    def whole(self) -> int:
        """Pictures that were not found broken."""
        return self.pictures - self.broken


Tell = Callable[[Made, int], None]
"""Called with the counts so far, and the number of all pictures."""


def thumbnails(source: Place, target: Place, plan: Plan, tell: Tell) -> Made:
    """Make the thumbnails of the pictures in `source`, in `target`. Returns the counts.

    Raises Refused where a folder cannot be used, NotWritten where the target takes no files.
    """
    refuse_target_over_source(source, target)
    target_folder = ThumbnailFolder(*target, make=not plan.dry_run)
    done = Made()
    with opened(*source) as folder:
        avoided = target_folder.identity()
        total = sum(1 for _ in _pictures(folder, plan, Walk(avoided)))
        walk = Walk(avoided)
        done.left = walk.left
        for found in _pictures(folder, plan, walk):
            _one(found, plan, target_folder, done)
            if done.capped:
                break
            tell(done, max(total, done.pictures))
    return done


def refuse_target_over_source(source: Place, target: Place) -> None:
    """Raise Refused where thumbnails would be written among the pictures, and could replace
    them.
    """
    pictures = source[0].joinpath(source[1])
    made_there = target[0].joinpath(target[1])
    if pictures.is_relative_to(made_there):
        raise Refused(
            f"to_folder: {made_there} is or holds the folder of the pictures; choose one beside "
            "or below it",
            field="to_folder",
        )


def _pictures(folder: int, plan: Plan, walk: Walk) -> Iterator[Found]:
    """The pictures, ordered by name, with paths from their folder."""
    for found in walk.files(folder, PurePosixPath()):
        name = found.shown.name
        if not fnmatch.fnmatchcase(name, plan.pattern):
            continue
        if name.lower().endswith(ENDINGS):
            yield found
        else:
            walk.leave("no picture, by its name")


def _one(found: Found, plan: Plan, target_folder: ThumbnailFolder, done: Made) -> None:
    """Make the missing and outdated thumbnails of a picture, and count."""
    shown = found.shown.with_name(plan.look.name_of(found.shown.name))
    time = found.facts.st_mtime_ns
    wanted = [
        width for width in plan.widths if plan.again or target_folder.time_of(width, shown) != time
    ]
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
        target_folder.write(width, shown, content, time)
        done.made += 1
        done.bytes += len(content)


def _read(found: Found, widths: list[int], look: Look) -> dict[int, bytes]:
    """The thumbnails of a picture by width. Raises PictureBroken, also for a changed file or a file
    that cannot be opened.
    """
    try:
        handle = os.open(found.shown.name, FILE, dir_fd=found.folder)
    except OSError as error:
        raise PictureBroken(f"cannot be opened: {error.strerror}") from None
    with open(handle, "rb") as file:  # noqa: PTH123 # a handle has no path
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_mtime_ns != found.facts.st_mtime_ns:
            raise PictureBroken("was changed during the reading; the next run makes it")
        return shrunk(file, widths, look)
