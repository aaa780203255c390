"""Builds the package as `pyproject.toml` says, with the documents in it: the console serves `docs/`
as its help.

In a checkout and in an editable installation the console reads `docs/` itself.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DOCS = Path("docs")
PLACE = Path("webadmin") / "docs"


class BuildWithDocs(build_py):
    """Copies the documents into the package that is built."""

    def run(self) -> None:
        """Build, then copy; an editable installation has nothing to copy to."""
        super().run()
        if not self.editable_mode:
            shutil.copytree(DOCS, Path(self.build_lib) / PLACE, dirs_exist_ok=True)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Every file that is built, the documents among them."""
        copied = [
            str(Path(self.build_lib) / PLACE / path.relative_to(DOCS))
            for path in DOCS.rglob("*.md")
        ]
        return [*super().get_outputs(include_bytecode), *([] if self.editable_mode else copied)]


setup(cmdclass={"build_py": BuildWithDocs})
