"""The floors of the code are computed from what imports what, and the documents name files that are
there.
"""

import re

import pytest

from tests.architecture.tree import ROOT
from tests.docs import structure
from tests.docs.files import document

PATH = re.compile(r"`((?:scheduler|webadmin|tests|docs|config)/[\w./-]*)`")


def test_a_room_stands_one_above_the_highest_that_it_imports() -> None:
    graph = {"ground": set(), "rules": {"ground"}, "beat": {"rules", "ground"}, "web": {"rules"}}
    assert structure.floors(graph) == {"ground": 0, "rules": 1, "beat": 2, "web": 2}


def test_a_circle_is_named() -> None:
    with pytest.raises(ValueError, match="in a circle: beat -> rules -> beat"):
        structure.floors({"beat": {"rules"}, "rules": {"beat"}})


def test_every_room_stands_above_those_that_it_imports() -> None:
    graph = structure.rooms()
    floors = structure.floors(graph)
    assert len(floors) > 20
    assert [
        (room, other) for room in graph for other in graph[room] if floors[room] <= floors[other]
    ] == []


@pytest.mark.parametrize(
    ("module", "room"),
    [
        ("scheduler", "scheduler"),
        ("scheduler.clock", "scheduler.clock"),
        ("scheduler.rules.time.zones", "scheduler.rules"),
        ("webadmin.views.runs", "webadmin"),
    ],
)
def test_a_room_is_a_folder_right_below_the_package(module: str, room: str) -> None:
    assert structure.room_of(module) == room


def test_every_room_and_every_key_says_what_it_is() -> None:
    for name in (structure.folders(), structure.redis_keys(), structure.sql_tables()):
        assert re.findall(r"\| +\|$", name, re.MULTILINE) == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_every_path_that_a_document_names_is_there(name: str) -> None:
    paths = PATH.findall(document(name).text)
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []
