"""What a profile refuses, and what bounds it: disk, memory, foreign files, an interrupt."""

import gzip
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from scheduler.errors import BeatdeskError, Refused
from scheduler.jobs.profiling.dataset import open_found
from scheduler.jobs.profiling.engine import DatasetUnreadable, TooLittleMemory, engine
from scheduler.jobs.profiling.page import as_html, as_json
from scheduler.jobs.profiling.workplace import FOLDER, NoRoom, Workplace, workplace
from scheduler.jobs.roots import Walk, opened
from scheduler.settings.schema import Settings
from tests.support.dataset_files import ROWS, parquet, profile, sales
from tests.support.needs import missing


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with nothing in it."""
    root = tmp_path / "files"
    root.mkdir()
    return root


@pytest.fixture
def services(tmp_path: Path, root: Path) -> Settings:
    """The settings of a worker that may read there."""
    return Settings(data_dir=tmp_path / "data", file_roots=(root,))


def hostile(root: Path) -> None:
    """Files that cannot be profiled."""
    (root / "empty.csv").touch()
    (root / "latin.csv").write_bytes(b"n\xe4me,b\n1,2\n")
    (root / "latin-later.csv").write_bytes(b"a,b\n" + b"1,x\n" * ROWS + b"1,\xe4\n")
    (root / "noise.csv").write_bytes(bytes(range(128, 256)) * 50)
    (root / "cut.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 9000)[:40])
    (root / "broken.parquet").write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
    (root / "text.parquet").write_text("I am no Parquet file at all")
    (root / "mixed").mkdir()
    (root / "mixed" / "a.csv").write_text("a,b\n1,2\n")
    (root / "mixed" / "b.csv").write_text("a,c\n1,2\n")
    (root / "both").mkdir()
    (root / "both" / "a.csv").write_text("a,b\n1,2\n")
    parquet(root / "both" / "a.parquet", "SELECT 1 AS a")
    (root / "link.csv").symlink_to("/etc/hostname")
    (root / "way").symlink_to("/etc")
    os.mkfifo(root / "pipe.csv")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("gone.csv", "No such file"),
        ("empty.csv", "empty.csv is empty"),
        ("latin.csv", "latin.csv is not utf-8: byte 1 does not fit; give its encoding"),
        (
            "latin-later.csv",
            f"latin-later.csv is not in the given encoding, in line {ROWS + 2}",
        ),
        ("noise.csv", "noise.csv is not utf-8"),
        ("cut.csv.gz", "cut.csv.gz cannot be read"),
        ("broken.parquet", "broken.parquet"),
        ("text.parquet", "text.parquet"),
        ("mixed", r"mixed/b.csv and mixed/a.csv do not have the same columns \(b, c\)"),
        ("both", "CSV and Parquet files"),
        ("link.csv", "links are not followed"),
        ("way/hostname", "links are not followed"),
        ("../files/mixed", "must lead downwards"),
        ("/etc/hostname", "must lead downwards"),
        ("pipe.csv", "cannot be opened"),
    ],
)
def test_what_cannot_be_profiled_is_refused_with_the_reason(
    services: Settings, root: Path, path: str, words: str
) -> None:
    hostile(root)
    with pytest.raises(BeatdeskError, match=words) as refused:
        profile(services, path)
    assert "/proc/" not in str(refused.value)
    assert not list((services.data_dir / FOLDER).glob("*/*"))


def test_a_dataset_may_not_be_larger_than_the_settings_allow(
    services: Settings, root: Path
) -> None:
    sales(root / "sales.csv", 40_000)
    with pytest.raises(Refused, match="BEATDESK_DATASET_MAX_MEGABYTES allows 1"):
        profile(services.model_copy(update={"dataset_max_megabytes": 1}))


def test_work_that_takes_more_of_the_disk_than_it_may_is_ended(tmp_path: Path, root: Path) -> None:
    with (
        workplace(tmp_path, 3_000_000) as place,
        engine(place, {}, 64) as asked,
        pytest.raises(NoRoom, match="room"),
    ):
        asked.query(
            "CREATE TABLE large AS SELECT hash(i)::VARCHAR AS x FROM range(200000000) AS r(i)"
        )
    assert not list((tmp_path / FOLDER).iterdir())


def test_work_that_takes_more_memory_than_it_may_fails_and_says_so(tmp_path: Path) -> None:
    with (
        workplace(tmp_path, 10**9) as place,
        engine(place, {}, 64) as asked,
        pytest.raises(TooLittleMemory),
    ):
        asked.query(
            "SELECT list(hash(i)::VARCHAR || repeat('x', 500)) FROM range(10000000) AS r(i)"
        )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "beatdesk-test", str(place)]
    if (
        os.geteuid() != 0
        or subprocess.run(command, capture_output=True, check=False).returncode != 0
    ):
        missing("only root may mount another disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_nearly_full_is_left_to_schedules_and_history(
    services: Settings, root: Path, small_disk: Path
) -> None:
    (root / "a.csv").write_text("n\n1\n")
    with pytest.raises(NoRoom, match="256 MB stay free on its disk"):
        profile(services.model_copy(update={"data_dir": small_disk}))


def test_a_disk_that_fills_up_meanwhile_is_told_as_such(small_disk: Path) -> None:
    place = Workplace(small_disk, 10**12)
    with (
        engine(place, {}, 64) as asked,
        pytest.raises(NoRoom, match="there is not enough room for the work"),
    ):
        asked.query(
            "CREATE TABLE large AS SELECT hash(i)::VARCHAR AS x FROM range(200000000) AS r(i)"
        )


def test_the_engine_reads_no_other_file_and_lets_nothing_be_set(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("n\n1\n")
    (tmp_path / "given.csv").write_text("n\n1\n")
    given = str(tmp_path / "given.csv")
    with workplace(tmp_path, 10**9) as place, engine(place, {given: "given.csv"}, 64) as asked:
        assert asked.query(f"SELECT count(*) FROM '{given}'") == [(1,)]  # noqa: S608
        for statement in (
            f"SELECT * FROM '{tmp_path}/other.csv'",  # noqa: S608
            "SELECT * FROM read_text('/etc/hostname')",
            "SELECT * FROM glob('/etc/*')",
            f"ATTACH '{tmp_path}/other.duckdb'",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            "SET memory_limit = '10GB'",
        ):
            with pytest.raises(DatasetUnreadable, match=r"disabled|locked|Cannot"):
                asked.query(statement)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "given.csv",
        "other.csv",
    ]


class Stop(Exception):
    """What a time limit would raise."""


def test_whatever_is_raised_meanwhile_interrupts_the_query(tmp_path: Path) -> None:
    def stop(share: float) -> None:
        raise Stop

    with workplace(tmp_path, 10**9) as place, engine(place, {}, 64) as asked:
        with pytest.raises(Stop):
            asked.query(
                "SELECT count(*) FROM range(1000000000000) AS r(i) WHERE i % 7 = hash(i) % 11", stop
            )
        assert asked.query("SELECT 1") == [(1,)]


def test_a_folder_that_a_killed_process_has_left_is_taken_away_and_one_at_work_stays(
    tmp_path: Path,
) -> None:
    left = tmp_path / FOLDER / "left"
    left.mkdir(parents=True)
    (left / "lock").touch()
    (left / "work.duckdb").write_text("much")
    with workplace(tmp_path, 10**9) as first, workplace(tmp_path, 10**9) as second:
        assert sorted((tmp_path / FOLDER).iterdir()) == sorted([first.path, second.path])
    assert not list((tmp_path / FOLDER).iterdir())


@pytest.mark.parametrize(
    ("link", "words"), [(True, "cannot be opened"), (False, "was swapped for another file")]
)
def test_a_file_that_is_swapped_after_it_was_found_is_refused(
    root: Path, link: bool, words: str
) -> None:
    secret, door = root.parent / "secret.csv", root / "door.csv"
    secret.write_text("secret\n1\n")
    door.write_text("n\n1\n")
    with opened(root, "") as folder:
        found = next(Walk().files(folder, PurePosixPath()))
        door.rename(root / "aside.csv")
        if link:
            door.symlink_to(secret)
        else:
            secret.rename(door)
        with pytest.raises(Refused, match=words):
            open_found(found)


def test_page_and_json_say_the_same_and_nothing_in_the_files_becomes_markup(
    services: Settings, root: Path
) -> None:
    name = "<script>alert(1)</script>"
    (root / f"{name.replace('/', '')}.csv").write_text(
        f'"{name}",n\n' + f'"{name}",1\n"{name}",7\n'
    )
    done = profile(services)
    page, told = as_html(done).decode(), json.loads(as_json(done))
    assert "<script" not in page
    assert page.count("<svg") == 1
    assert (told["rows"], told["columns"][1]["greatest"]) == (2, 7)
    assert told["columns"][0]["frequent"] == [{"value": name, "rows": 2}]
