"""Words that sentences are made of."""

import re
from pathlib import Path

import pytest

from scheduler.rules.phrases import counted, plural

CODE = Path(__file__).parents[3]
BY_HAND = re.compile(r"""(["'])[^"']*\1 if [^{}\n]*(?:==|!=) 1 else (["'])""")
FILES = [path for folder in ("scheduler", "webadmin") for path in (CODE / folder).rglob("*.*")]
SENTENCES = [path for path in FILES if path.suffix in (".py", ".html")]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 ticks are left"),
        (1, "1 tick is left"),
        (2, "2 ticks are left"),
        (1000, "1000 ticks are left"),
    ],
)
def test_a_number_has_its_words(number: int, words: str) -> None:
    assert f"{counted(number, 'tick is', 'ticks are')} left" == words


def test_what_has_no_other_plural_gets_an_s() -> None:
    assert [plural(number, "run") for number in (0, 1, 2)] == ["runs", "run", "runs"]
    assert counted(3, "process", "processes") == "3 processes"


def test_nobody_makes_plurals_by_hand() -> None:
    found = {
        path.name: line
        for path in SENTENCES
        for line in path.read_text().splitlines()
        if BY_HAND.search(line)
    }
    assert set(found) <= {"phrases.py"}, found


def test_a_plural_by_hand_is_found() -> None:
    assert BY_HAND.search("""f"{count} {'run' if count == 1 else 'runs'}" """)
    assert BY_HAND.search("""{{ "it" if held[2] == 1 else "them" }}""")
