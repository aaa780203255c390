"""Every row of the semantics has tests: a row without a test, or with a missing test, fails here.

A test is named by its file and its function, or by the words of its row where the file has a table
of rows.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.semantics import TABLES
from tests.architecture.tree import parsed


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of a file's tests, and the words of its tables."""
    nodes = list(ast.walk(parsed(path)))
    tests = {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    words = {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return frozenset(tests | words)


@pytest.mark.parametrize(
    ("row", "tests"),
    [(f"{table}: {row}", tests) for table, rows in TABLES.items() for row, tests in rows.items()],
)
def test_every_row_of_the_semantics_has_tests_that_are_there(row: str, tests: list[str]) -> None:
    assert tests, row
    places = [test.split("::", 1) for test in tests]
    assert [test for file, test in places if test not in names_in(Path("tests") / file)] == []
