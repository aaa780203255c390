"""Which files a stored path may name."""

from pathlib import Path

import pytest

from webadmin.paths import file_below


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "reports"
    (root / "2026").mkdir(parents=True)
    (root / "2026" / "a.html").write_text("a")
    (tmp_path / "secret").write_text("s")
    (tmp_path / "reports-other").mkdir()
    (tmp_path / "reports-other" / "b").write_text("b")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "in").symlink_to(root / "2026" / "a.html")
    return root


@pytest.mark.parametrize("path", ["2026/a.html", "./2026/a.html", "2026/../2026/a.html", "in"])
def test_a_file_of_the_folder_is_found(root: Path, path: str) -> None:
    found = file_below(root, path)
    assert found is not None
    assert found.read_text() == "a"


@pytest.mark.parametrize(
    "path",
    ["", ".", "2026", "none", "../secret", "../reports-other/b", "out", "/etc/hostname", "a\0b"],
)
def test_nothing_else_is(root: Path, path: str) -> None:
    assert file_below(root, path) is None
