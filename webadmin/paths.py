"""A stored relative path -> a file below a folder, or nothing. Links are not followed out of the
folder.
"""

from pathlib import Path


def file_below(root: Path, relative: str) -> Path | None:
    """The regular file that `relative` names below `root`; none where it is elsewhere, no file, or
    gone.
    """
    if not relative or "\0" in relative or Path(relative).is_absolute():
        return None
    found = (root / relative).resolve()
    return found if found.is_relative_to(root.resolve()) and found.is_file() else None
