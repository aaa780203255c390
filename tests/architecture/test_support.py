"""What several test modules need lives in tests/support; a folder of tests holds tests, and
fixtures of its own.
"""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import modules, parsed

OF_TESTS = ("unit", "integration", "e2e")
THE_SAME_TESTS_AGAIN = "tests/integration/beat/test_same_as_stock.py"
"""It runs the tests of other modules with our Beat in place of stock's, and takes nothing else
from them.
"""


def taken_from_tests(path: Path, tree: ast.Module) -> list[str]:
    """Imports out of folders of tests, each with its line."""
    return [
        f"{path}:{node.lineno} {module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in _modules(node)
        if module.startswith(tuple(f"tests.{folder}" for folder in OF_TESTS))
    ]


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return (
        [f"{node.module}.{alias.name}" for alias in node.names]
        if node.module == "tests"
        else [node.module or ""]
    )


def test_nothing_is_imported_from_a_test_module_or_a_conftest() -> None:
    taken = [hit for path in modules("tests") for hit in taken_from_tests(path, parsed(path))]
    assert [hit for hit in taken if not hit.startswith(THE_SAME_TESTS_AGAIN)] == []


def test_a_folder_of_tests_holds_no_helpers() -> None:
    files = [path for path in modules("tests") if path.parts[1] in OF_TESTS]
    assert files != []
    helpers = [path for path in files if not path.name.startswith("test_")]
    assert {path.name for path in helpers} <= {"__init__.py", "conftest.py"}


@pytest.mark.parametrize(
    "line",
    [
        "from tests.integration.runs.conftest import House",
        "from tests.unit.rules.test_cron import TOKENS",
        "import tests.e2e.browser.conftest",
        "from tests import integration",
    ],
)
def test_a_planted_import_is_seen(line: str) -> None:
    assert len(taken_from_tests(Path("tests/planted.py"), ast.parse(line))) == 1


@pytest.mark.parametrize(
    "line", ["from tests.support.ports import free_port", "import testing.unit"]
)
def test_what_lives_in_support_may_be_taken(line: str) -> None:
    assert taken_from_tests(Path("tests/planted.py"), ast.parse(line)) == []
