"""Old files below a folder, found and deleted without ever leaving it: see `jobs.roots`."""

import fnmatch
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from scheduler.jobs.roots import Found, Walk, opened

EXAMPLES = 20


@dataclass(frozen=True)
class Rule:
    """Which files may go: their names match `pattern`, and they were last written before `before`
    (Unix time).
    """

    pattern: str
    before: float
    most: int
    dry_run: bool

    def means(self, found: Found) -> bool:
        """Whether this file may go."""
        return found.facts.st_mtime < self.before and fnmatch.fnmatchcase(
            found.shown.name, self.pattern
        )


@dataclass
class Swept:
    """What was found, and deleted unless it was a dry run."""

    files: int = 0
    bytes: int = 0
    looked_at: int = 0
    left: dict[str, int] = field(default_factory=dict)
    """What was left alone, by reason."""
    capped: bool = False
    examples: list[str] = field(default_factory=list)


def sweep(root: Path, under: str, rule: Rule, tell: Callable[[Swept], None]) -> Swept:
    """Delete what the rule means below `under` in `root`; `tell` hears after each file how far it
    is.

    Raises Refused where there is no such folder, or the way to it leads through a link.
    """
    walk = Walk()
    swept = Swept(left=walk.left)
    with opened(root, under) as folder:
        for found in walk.files(folder, PurePosixPath(under)):
            swept.looked_at += 1
            if rule.means(found):
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
