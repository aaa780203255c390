"""The page of threats names tests that there are."""

import ast
import re

from tests.architecture.tree import ROOT

PAGE = ROOT / "docs/explanation/threats.md"


def names_of_tests() -> set[str]:
    """The names of all test functions."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def rows() -> list[list[str]]:
    """The rows of the tables, without their heads."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in ("threat", "---")]


def test_every_threat_has_a_defence_and_a_test_that_there_is() -> None:
    there = names_of_tests()
    assert len(rows()) > 20
    for threat, defence, tests in rows():
        names = re.findall(r"`(\w+)`", tests)
        assert defence, threat
        assert names, threat
        assert set(names) <= there, (threat, set(names) - there)
