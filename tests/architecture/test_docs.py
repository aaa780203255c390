"""What is written down is held against what is there."""

import ast
import re
from pathlib import Path

from scheduler.settings.schema import Settings
from tests.architecture.tree import CODE, ROOT, modules, parsed, texts

VAGUE = {"utils", "util", "common", "helpers", "helper", "manager", "base", "misc"}
ELSEWHERE = re.compile(r"(?<![\w.:/])/(?:home|root|Users|work|mnt|workspace)/[\w.-]+")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
THIS_FILE = Path(__file__).resolve().relative_to(ROOT)


def documented_settings() -> dict[str, str]:
    """The rows of the settings page: the setting's name and the rest of its row."""
    page = ROOT / "docs" / "reference" / "settings.md"
    assert page.is_file(), "docs/reference/settings.md is missing"
    rows = re.findall(
        r"^\| `BEATDESK_([A-Z_]+)` \|(.*)\|\s*$", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) == len(dict(rows)), "a setting stands on the settings page twice"
    return dict(rows)


def test_the_settings_page_lists_every_setting_and_no_other() -> None:
    assert {name.lower() for name in documented_settings()} == set(Settings.model_fields)


def test_the_settings_page_says_what_a_setting_does_in_the_words_of_the_code() -> None:
    rows = documented_settings()
    words = {name: str(field.description) for name, field in Settings.model_fields.items()}
    assert [name for name, text in words.items() if text not in rows.get(name.upper(), "")] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [
        str(path)
        for path in modules(*CODE)
        if parsed(path).body and not ast.get_docstring(parsed(path))
    ] == []


def test_every_module_is_named_after_what_it_holds() -> None:
    assert [str(path) for path in modules(*CODE) if VAGUE & set(path.with_suffix("").parts)] == []


def found(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """What of the pattern stands in which of our files, this one left out."""
    hits = {
        str(path): pattern.findall((ROOT / path).read_text(encoding="utf-8"))
        for path in texts()
        if path != THIS_FILE
    }
    return {path: words for path, words in hits.items() if words}


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    assert found(ELSEWHERE) == {}


def test_every_file_is_finished() -> None:
    assert found(UNFINISHED) == {}


def test_the_patterns_see_what_they_are_for() -> None:
    assert ELSEWHERE.search('open("/home/ada/beatdesk")')
    assert not ELSEWHERE.search("https://example.org/home/page")
    assert UNFINISHED.search("# TODO later")
