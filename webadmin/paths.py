"""Stored relative paths as files below a folder; links out of the folder are not followed."""

from pathlib import Path


def file_below(root: Path, relative: str) -> Path | None:
    """Return the regular file at `relative` below `root`.

    None for a path outside `root`, a missing file, or anything but a regular file.
    """
    if not relative or "\0" in relative or Path(relative).is_absolute():
        return None
    found = (root / relative).resolve()
    return found if found.is_relative_to(root.resolve()) and found.is_file() else None
