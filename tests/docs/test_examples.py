"""Examples in other languages than the shell's: Python that is defined, sets of YAML that can be
read.
"""

import ast
import subprocess
import sys

import pytest

from scheduler.sets import yaml_set
from tests.architecture.tree import ROOT
from tests.docs.files import document, documents

PYTHON = [(one.name, number) for one in documents() for number in range(len(one.blocks("python")))]
YAML = [
    (one.name, text)
    for one in documents()
    for text in one.blocks("yaml")
    if text.startswith("version:")
]
RUNS_IN_A_WORLD = {"docs/how-to/run-on-demand.md"}
"""Whose Python needs a worker; see `tests/integration/cli/test_documented_commands.py`."""


@pytest.mark.parametrize(("name", "number"), PYTHON)
def test_an_example_in_python_can_be_imported(name: str, number: int) -> None:
    """In a process of its own: a task declared here would belong to every app of the tests."""
    text = document(name).blocks("python")[number]
    ast.parse(text)
    if name not in RUNS_IN_A_WORLD:
        run = subprocess.run(
            [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(("name", "text"), YAML, ids=[name for name, _ in YAML])
def test_an_example_of_a_set_can_be_read(name: str, text: str) -> None:
    chosen, _ = yaml_set.read(text)
    assert chosen.schedules != []


def test_there_are_examples_of_both() -> None:
    assert len(PYTHON) >= 5
    assert YAML != []
