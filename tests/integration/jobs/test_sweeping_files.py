"""Deleting old files, on a real file system: never outside of the folder, whatever is put in the
way.
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.errors import Refused
from scheduler.jobs.roots import chosen_root, refuse_own_folder
from scheduler.jobs.sweeping.files import Rule, Swept, sweep
from tests.support.needs import missing

OLD = 1_000_000_000.0
BEFORE = 1_500_000_000.0


def old(path: Path, content: str = "old") -> Path:
    """A file that was last written in 2001."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (OLD, OLD))
    return path


def swept(
    root: Path, under: str = "", *, pattern: str = "*", most: int = 1000, dry_run: bool = False
) -> Swept:
    """Sweep it."""
    return sweep(root, under, Rule(pattern, BEFORE, most, dry_run), lambda _: None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with old and new files in folders."""
    root = tmp_path / "root"
    old(root / "a.log")
    old(root / "b.txt")
    old(root / "deep" / "er" / "c.log", "four")
    (root / "new.log").write_text("new")
    return root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """An old file that is nobody's business here."""
    return old(tmp_path / "outside" / "precious.log")


def left_in(root: Path) -> set[str]:
    """The names of the files that are there."""
    return {path.name for path in root.rglob("*") if path.is_file()}


def test_old_files_go_and_the_others_stay(root: Path) -> None:
    done = swept(root, pattern="*.log")
    assert left_in(root) == {"b.txt", "new.log"}
    assert (done.files, done.bytes, done.looked_at) == (2, 7, 4)
    assert sorted(done.examples) == ["a.log", "deep/er/c.log"]


def test_a_dry_run_deletes_nothing_and_says_the_same(root: Path) -> None:
    trial = swept(root, dry_run=True)
    assert left_in(root) == {"a.log", "b.txt", "c.log", "new.log"}
    done = swept(root)
    assert (trial.files, trial.bytes, sorted(trial.examples)) == (
        done.files,
        done.bytes,
        sorted(done.examples),
    )


def test_no_more_than_the_cap_go(root: Path) -> None:
    done = swept(root, most=2)
    assert (done.files, done.capped) == (2, True)
    assert len(left_in(root)) == 2
    assert not swept(root, most=1).capped


def test_a_folder_below_the_root_can_be_chosen(root: Path) -> None:
    assert swept(root, "deep/er").files == 1
    assert left_in(root) == {"a.log", "b.txt", "new.log"}


@pytest.mark.parametrize(
    "under", ["..", "deep/../..", "/etc", "../outside", "gone", "a.log", "out", "out/", "deep/\0"]
)
def test_no_name_of_a_folder_leads_out(root: Path, outside: Path, under: str) -> None:
    (root / "out").symlink_to(outside.parent)
    with pytest.raises(Refused, match="folder: "):
        swept(root, under)
    assert outside.exists()


def test_a_root_that_is_a_link_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    with pytest.raises(Refused, match="links are not followed"):
        swept(tmp_path / "link")


def test_links_are_neither_followed_nor_deleted(root: Path, outside: Path) -> None:
    (root / "folder").symlink_to(outside.parent)
    (root / "file.log").symlink_to(outside)
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe")
    done = swept(root)
    assert done.left == {"links": 3, "neither file nor folder": 1}
    assert outside.read_text() == "old"
    assert (root / "file.log").is_symlink()


def test_a_folder_that_is_swapped_for_a_link_again_and_again_leads_nowhere(
    root: Path, outside: Path
) -> None:
    door, aside, link = root / "door", root.parent / "aside", root.parent / "link"
    door.mkdir()
    for number in range(20):
        old(outside.parent / f"precious-{number}.log")
    link.symlink_to(outside.parent)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            door.rename(aside)
            link.rename(door)
            door.rename(link)
            aside.rename(door)

    swapper = threading.Thread(target=swap)
    swapper.start()
    deleted = 0
    try:
        for number in range(1500):
            if number % 100 == 0:
                old(root / f"again-{number}.log")
            deleted += swept(root).files
    finally:
        stop.set()
        swapper.join()
    assert deleted >= 15
    assert len(left_in(outside.parent)) == 21


@pytest.fixture
def mounted(root: Path) -> Iterator[Path]:
    """A disk of its own below the root, with an old file."""
    place = root / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "beatdesk-test", str(place)]
    if (
        os.geteuid() != 0
        or subprocess.run(command, capture_output=True, check=False).returncode != 0
    ):
        missing("only root may mount another disk")
    yield old(place / "precious.log")
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_another_disk_below_the_root_is_left_alone(root: Path, mounted: Path) -> None:
    assert swept(root).left == {"on another device": 1}
    assert mounted.exists()


def test_a_root_is_chosen_by_its_path_or_its_last_name() -> None:
    roots = (Path("/srv/exports"), Path("/srv/a/logs"), Path("/srv/b/logs"))
    assert chosen_root(roots, "exports") == chosen_root(roots, "/srv/exports") == roots[0]
    for asked, words in (
        ("logs", "may be more than one"),
        ("/etc", "is not a folder of"),
        ("", "is not a folder of"),
    ):
        with pytest.raises(Refused, match=words):
            chosen_root(roots, asked)


def test_the_folder_of_the_schedules_is_never_swept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for root in (data, tmp_path, data / "reports"):
        with pytest.raises(Refused, match="no job goes there"):
            refuse_own_folder(root, data)
    refuse_own_folder(tmp_path / "database", data)
