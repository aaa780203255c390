"""Tables about the code itself: its folders and floors, the fences between them, run states, and
keys in Redis.

They are read from the import graph, from `pyproject.toml` and from the modules that define states
and keys, wherever these live.
"""

import ast
import inspect
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

import grimp

from scheduler.history import access_models  # noqa: F401 - its tables register with Base
from scheduler.history.models import Base
from scheduler.rules.model.run_states import FINAL, STATES
from scheduler.storage import keys
from tests.architecture.tree import ROOT, contracts
from tests.docs.markdown import table
from webadmin import present


@cache
def _linter() -> Mapping[str, list[str]]:
    """import-linter's part of the project file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: Mapping[str, list[str]] = project["tool"]["importlinter"]
    return found


@cache
def rooms() -> Mapping[str, set[str]]:
    """For each room (a folder or module right below a root package, or a root without rooms) the
    rooms it imports.
    """
    roots = _linter()["root_packages"]
    exclude = bool(_linter().get("exclude_type_checking_imports"))
    graph = grimp.build_graph(*roots, exclude_type_checking_imports=exclude, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        room = room_of(module)
        imported = {room_of(other) for other in graph.find_modules_directly_imported_by(module)}
        found.setdefault(room, set()).update(imported - {room})
    return found


def room_of(module: str) -> str:
    """The room of a module: `scheduler.rules` for `scheduler.rules.crontab.fields`; all of webadmin
    is one.
    """
    first, *rest = module.split(".")
    return first if first == "webadmin" or not rest else f"{first}.{rest[0]}"


def floors(graph: Mapping[str, set[str]]) -> dict[str, int]:
    """The floor of each room: 0 if it imports none, else one above the highest that it imports.

    Raises ValueError with the names where rooms import each other in a circle.
    """
    found: dict[str, int] = {}

    def floor(room: str, above: tuple[str, ...]) -> int:
        if room in above:
            raise ValueError(f"rooms import each other in a circle: {' -> '.join([*above, room])}")
        if room not in found:
            below = [floor(other, (*above, room)) for other in sorted(graph[room])]
            found[room] = 1 + max(below, default=-1)
        return found[room]

    for room in sorted(graph):
        floor(room, ())
    return found


def folders() -> str:
    """Every room with its floor and the first sentence of its docstring, from the ground up."""
    placed = sorted(floors(rooms()).items(), key=lambda item: (item[1], item[0]))
    rows = (
        [str(floor), f"`{_path(room)}`", _summary(room)] for room, floor in placed if _summary(room)
    )
    return table(["floor", "folder or module", "meaning"], rows)


def _path(room: str) -> str:
    path = room.replace(".", "/")
    return f"{path}/" if (ROOT / path).is_dir() else f"{path}.py"


def _summary(room: str) -> str:
    path = ROOT / room.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ")


def fences() -> str:
    """import-linter's contracts."""
    return table(
        ["contract", "what it holds"], ([f"`{name}`", words] for name, words in contracts().items())
    )


def states() -> str:
    """Every state of a run, in the order of the commands."""
    rows = (
        [f"`{state}`", present.state_words(state), "yes" if state in FINAL else "no"]
        for state in STATES
    )
    return table(["state", "in the console", "final"], rows)


def sql_tables() -> str:
    """Every table of the history with the first sentence of its class, module by module: which
    module is loaded first depends on the test.
    """
    mappers = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}
    tables = (name for name in Base.metadata.tables if name in mappers)
    in_order = sorted(tables, key=lambda name: mappers[name].__module__)
    rows = ([f"`{name}`", _first(mappers[name].__doc__ or "")] for name in in_order)
    return table(["table", "what it holds"], rows)


def _first(docstring: str) -> str:
    """The first paragraph of a docstring on one line."""
    return inspect.cleandoc(docstring).partition("\n\n")[0].replace("\n", " ")


def redis_keys() -> str:
    """Every key, stream, channel and prefix in Redis."""
    rows = (
        [f"`{name}`", f"`{value}`", words]
        for name, value, words in _constants(Path(inspect.getfile(keys)))
        if not name.startswith("_")
    )
    return table(["name in the code", "in Redis", "what it holds"], rows)


def _constants(path: Path) -> Iterator[tuple[str, str, str]]:
    """Name, value and docstring of each constant text of the module with the keys, in its order."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        value = getattr(import_module(keys.__name__), name)
        if isinstance(value, str):
            yield name, value, _docstring(after)


def _docstring(node: ast.stmt | None) -> str:
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return ""
    return inspect.cleandoc(str(node.value.value)).replace("\n", " ")
