"""Files with arguments, results, hashes and keys are nobody else's: narrowed, or refused."""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.settings import environment, private_files
from scheduler.settings.environment import load
from scheduler.settings.errors import BadSettings

PRODUCTION = {
    "BEATDESK_ENVIRONMENT": "production",
    "BEATDESK_SECRET_KEY": "hL2vQ8x_Tn5RzWc0yKd7JbUq3mFs9GpA1eXi6oVt",
}
FILES = ("history.sqlite3", "history.sqlite3-wal", "history.sqlite3-shm", "secret_key")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as it was made before, for everybody."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "reports").mkdir()
    (folder / "reports/2026-01-01").mkdir()
    (folder / "reports/2026-01-01/old.html").touch()
    for path in (folder / "reports", *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for name in FILES:
        (folder / name).write_text("x" * 40)
        (folder / name).chmod(0o644)
    return folder


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o022)
    yield 0o022
    os.umask(before)


def modes(folder: Path) -> set[str]:
    return {f"{path.stat().st_mode & 0o777:03o}" for path in (folder, *folder.rglob("*"))}


def faults(environ: dict[str, str], cwd: Path) -> str:
    with pytest.raises(BadSettings) as refusal:
        load(environ, cwd)
    return str(refusal.value)


def test_development_takes_its_files_from_others_and_says_so_once(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load({}, tmp_path)
    assert modes(data) == {"700", "600"}
    assert f"{data}: others on this machine could use it (mode 0755); now 0700" in caplog.messages
    assert len(caplog.messages) == 2 + len(FILES)
    caplog.clear()
    load({}, tmp_path)
    assert caplog.messages == []


def test_a_history_elsewhere_is_narrowed_too(tmp_path: Path) -> None:
    file = tmp_path / "desk.sqlite3"
    file.touch()
    file.chmod(0o644)
    load({"BEATDESK_DATABASE_URL": f"sqlite:///{file}"}, tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_rights_that_somebody_gave_a_group_stay(data: Path, tmp_path: Path) -> None:
    for path in (data, *data.rglob("*")):
        path.chmod(path.stat().st_mode & ~stat.S_IRWXO)
    before = modes(data)
    load({}, tmp_path)
    assert modes(data) == before == {"750", "640"}


@pytest.mark.parametrize("mode", [0o1777, 0o755])
def test_a_folder_for_everybody_and_the_working_folder_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(mode)
    if mode == 0o755:
        monkeypatch.chdir(shared)
    load({"BEATDESK_DATA_DIR": str(shared)}, tmp_path)
    assert stat.S_IMODE(shared.stat().st_mode) == mode


def test_no_link_leads_to_the_file_of_somebody_else(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("public")
    other.chmod(0o644)
    (data / "server.json").symlink_to(other)
    load({}, tmp_path)
    assert stat.S_IMODE(other.stat().st_mode) == 0o644


def test_production_refuses_what_others_can_read_with_the_command(
    data: Path, tmp_path: Path
) -> None:
    message = faults(PRODUCTION, tmp_path)
    for path in (data, *(data / name for name in FILES)):
        assert f"{path}: others on this machine can use it, its mode is 0" in message
        assert f"Run: chmod o-rwx {path}\n" in f"{message}\n"
    for path in (data, *data.rglob("*")):
        path.chmod(path.stat().st_mode & ~stat.S_IRWXO)
    assert load(PRODUCTION, tmp_path).environment == "production"


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        ("BEATDESK_REDIS_URL=redis://:hush@host/0\n", True),
        ("BEATDESK_OIDC_CLIENT_SECRET=hush\n", True),
        ("BEATDESK_REDIS_URL=redis://host/0\n", False),
    ],
)
def test_production_refuses_a_readable_env_file_with_a_secret_in_it(
    tmp_path: Path, text: str, is_refused: bool
) -> None:
    file = tmp_path / ".env"
    file.write_text(text)
    file.chmod(0o644)
    if is_refused:
        message = faults(PRODUCTION, tmp_path)
        assert f"Run: chmod o-rwx {file}" in message
        assert "hush" not in message
        file.chmod(0o640)
    assert load(PRODUCTION, tmp_path).environment == "production"


def test_production_refuses_a_readable_key_file(tmp_path: Path) -> None:
    file = tmp_path / "the key"
    file.write_text(PRODUCTION["BEATDESK_SECRET_KEY"])
    file.chmod(0o644)
    environ = {"BEATDESK_ENVIRONMENT": "production", "BEATDESK_SECRET_KEY_FILE": str(file)}
    assert f"Run: chmod o-rwx '{file}'" in faults(environ, tmp_path)
    file.chmod(0o600)
    assert load(environ, tmp_path).secret_key == PRODUCTION["BEATDESK_SECRET_KEY"]


def test_a_key_that_a_container_runtime_mounts_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "SECRETS_DIR", tmp_path / "secrets")
    (tmp_path / "secrets").mkdir()
    mounted = tmp_path / "secrets/beatdesk_secret_key"
    mounted.write_text(PRODUCTION["BEATDESK_SECRET_KEY"])
    mounted.chmod(0o444)
    settings = load({"BEATDESK_ENVIRONMENT": "production"}, tmp_path)
    assert settings.secret_key == PRODUCTION["BEATDESK_SECRET_KEY"]


@pytest.mark.parametrize(("before", "after"), [(0o022, 0o077), (0o000, 0o077), (0o277, 0o277)])
def test_the_umask_is_narrowed_and_never_loosened(
    umask: int, before: int, after: int, tmp_path: Path
) -> None:
    os.umask(before)
    private_files.set_umask()
    assert os.umask(umask) == after


def test_a_new_data_folder_and_key_are_private_whatever_the_umask(
    tmp_path: Path, umask: int, caplog: pytest.LogCaptureFixture
) -> None:
    load({}, tmp_path)
    assert modes(tmp_path / "data") == {"700", "600"}
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
