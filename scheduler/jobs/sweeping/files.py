"""Deletion of old files below a folder, without ever leaving the folder (`jobs.roots`)."""

import fnmatch
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from scheduler.jobs.roots import Found, Walk, opened

EXAMPLES = 20


@dataclass(frozen=True)
class Rule:
    """Files to delete, at most `most`: names matching `pattern`, last written before `before` (Unix
    time).
    """

    pattern: str
    before: float
    most: int
    dry_run: bool

    def applies_to(self, found: Found) -> bool:
        """Whether the file is to be deleted."""
        return found.facts.st_mtime < self.before and fnmatch.fnmatchcase(
            found.shown.name, self.pattern
        )


@dataclass
class Swept:
    """Counts of deleted files; a dry run counts the files of a real run."""

    files: int = 0
    bytes: int = 0
    looked_at: int = 0
    left: dict[str, int] = field(default_factory=dict)
    """Number of entries left alone, by reason."""
    capped: bool = False
    examples: list[str] = field(default_factory=list)


def sweep(root: Path, under: str, rule: Rule, tell: Callable[[Swept], None]) -> Swept:
    """Delete the files of a rule below `under` in `root`. Returns the counts; `tell` gets the
    counts after each file.

    Raises Refused for a missing folder, or a path through a link.
    """
    walk = Walk()
    swept = Swept(left=walk.left)
    with opened(root, under) as folder:
        for found in walk.files(folder, PurePosixPath(under)):
            swept.looked_at += 1
            if rule.applies_to(found):
                if swept.files >= rule.most:
                    swept.capped = True
                    break
                if rule.dry_run or _unlinked(found, walk):
                    swept.files += 1
                    swept.bytes += found.facts.st_size
                    swept.examples += (
                        [found.shown.as_posix()] if len(swept.examples) < EXAMPLES else []
                    )
            tell(swept)
    return swept


def _unlinked(found: Found, walk: Walk) -> bool:
    try:
        os.unlink(found.shown.name, dir_fd=found.folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        walk.leave(f"not deleted: {error.strerror}")
        return False
    return True
