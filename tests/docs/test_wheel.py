"""The documents are in the package that is built, and the console finds them there."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT
from tests.docs.files import DOCS

BUILT_FROM = (*PACKAGES, "docs")
BUILD = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
FIND = """
from webadmin.help import pages
from webadmin.help.rendering import render
found = pages.all_pages()
print(pages.docs_folder())
made = [render(page, lambda target: target.path).html for page in found.values()]
print(len(found), sum(map(bool, made)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy."""
    tree = tmp_path_factory.mktemp("tree")
    for folder in BUILT_FROM:
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, tree / name)
    place = tmp_path_factory.mktemp("wheel")
    run = subprocess.run(
        [sys.executable, "-c", BUILD, str(place)],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return place / run.stdout.split()[-1]


def test_every_document_is_in_the_wheel_once(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = sorted(name for name in archive.namelist() if name.startswith("webadmin/docs/"))
    assert packed == sorted(
        f"webadmin/docs/{path.relative_to(DOCS).as_posix()}" for path in DOCS.rglob("*.md")
    )


def test_the_console_of_an_installed_wheel_finds_its_own_documents(
    wheel: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    environment = {"PYTHONPATH": str(tmp_path / "site"), "PATH": ""}
    program = ["import sys; sys.path = [one for one in sys.path if one != sys.argv[1]]", FIND]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(program), str(ROOT)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    folder, counts = run.stdout.splitlines()
    number = len(list(DOCS.rglob("*.md")))
    assert folder == str(tmp_path / "site" / "webadmin" / "docs")
    assert counts == f"{number} {number}"
