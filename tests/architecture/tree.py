"""The files that the house rules are about, and how import-linter is run over a tree."""

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("scheduler", "webadmin")
CODE = (*PACKAGES, "tests")
TEXT_SUFFIXES = {
    ".py",
    ".html",
    ".css",
    ".js",
    ".lua",
    ".md",
    ".toml",
    ".txt",
    ".svg",
    ".sh",
    ".yaml",
    ".yml",
}


def modules(*folders: str) -> list[Path]:
    """Every Python file below the folders, by its path from the root."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found)


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file, inner ones too."""
    return (
        node
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def texts() -> list[Path]:
    """Every text file of the repository, without vendored files. Other files in the folder (data,
    .venv) are left out.
    """
    inside = (path for folder in (*CODE, "docs", ".ci") for path in (ROOT / folder).rglob("*"))
    found = (
        path
        for path in (*inside, *ROOT.glob("*"))
        if path.is_file() and path.name not in (".git", "uv.lock")
    )
    return sorted(
        path.relative_to(ROOT)
        for path in found
        if (path.suffix in TEXT_SUFFIXES or not path.suffix)
        and not {"vendor", "__pycache__"} & set(path.parts)
    )


def contracts() -> dict[str, str]:
    """import-linter's contracts: id and name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        contract["id"]: contract["name"]
        for contract in project["tool"]["importlinter"]["contracts"]
    }


def lint_imports(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the packages in `tree`."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "NO_COLOR": "1"}
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(program), "--no-cache", *options],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
