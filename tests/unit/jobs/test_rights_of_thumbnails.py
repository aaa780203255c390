"""Thumbnails are for whoever may read their folder, whatever the umask of the worker."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from scheduler.jobs.pictures.thumbnail_folder import ThumbnailFolder


@pytest.fixture(autouse=True)
def umask_of_workers() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.parametrize(("root", "folder", "file"), [(0o755, 0o755, 0o644), (0o700, 0o700, 0o600)])
def test_a_thumbnail_and_its_folders_have_the_rights_of_the_folder_above(
    tmp_path: Path, root: int, folder: int, file: int
) -> None:
    tmp_path.chmod(root)
    with_name = PurePosixPath("summer/beach.jpg")
    ThumbnailFolder(tmp_path, "small", make=True).write(80, with_name, b"picture", 1)
    made = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert made == {"small": folder, "80": folder, "summer": folder, "beach.jpg": file}
