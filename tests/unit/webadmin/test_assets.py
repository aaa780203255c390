"""What is served beside the pages: vendored files are what they claim to be, templates hold to the
policy.
"""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

import webadmin

HOME = Path(webadmin.__file__).parent
VENDOR = HOME / "static" / "vendor"
TEMPLATES = sorted((HOME / "templates").rglob("*.html"))


def listed() -> dict[str, dict[str, str]]:
    return {
        entry["path"]: entry
        for entry in tomllib.loads((VENDOR / "VENDORED.toml").read_text())["file"]
    }


def test_vendored_files_are_what_the_list_says() -> None:
    sums = {path: hashlib.sha256((VENDOR / path).read_bytes()).hexdigest() for path in listed()}
    assert sums == {path: entry["sha256"] for path, entry in listed().items()}


def test_nothing_is_vendored_that_the_list_does_not_name() -> None:
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert {path for path in there if not path.endswith(("LICENSE", "VENDORED.toml"))} == set(
        listed()
    )


@pytest.mark.parametrize("path", listed())
def test_each_vendored_file_has_version_licence_source_and_the_licences_text(path: str) -> None:
    entry = listed()[path]
    assert all(entry[field] for field in ("name", "version", "licence", "source"))
    assert (VENDOR / path).with_name("LICENSE").is_file()


def test_every_icon_that_a_page_names_is_in_the_sprite() -> None:
    there = set(
        re.findall(r'<symbol id="([\w-]+)"', (VENDOR / "tabler-icons/sprite.svg").read_text())
    )
    from webadmin.present import STATES

    named = {look.icon for look in STATES.values()}
    for template in TEMPLATES:
        named |= set(re.findall(r'icon\("([\w-]+)"', template.read_text()))
    for view in (HOME / "views").rglob("*.py"):
        named |= set(re.findall(r'menu_icon_value["\']?[:=] ?"([\w-]+)"', view.read_text()))
    assert named - there == set()


@pytest.mark.parametrize(
    "template", TEMPLATES, ids=lambda path: str(path.relative_to(HOME / "templates"))
)
def test_a_template_needs_nothing_that_the_policy_forbids(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=", text), "style attributes"
    assert not re.search(r"\son[a-z]+\s*=", text), "inline handlers"
    assert not re.search(r"<style\b", text), "inline styles"
    assert not re.search(r"<script\b(?![^>]*\bsrc=)", text), "inline scripts"
    assert "javascript:" not in text
    assert "|safe" not in re.sub(r"\s", "", text), "data is never safe"
    assert "autoescapefalse" not in re.sub(r"\s", "", text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text), "files of other hosts"


@pytest.mark.parametrize(
    "template", TEMPLATES, ids=lambda path: str(path.relative_to(HOME / "templates"))
)
def test_every_form_that_changes_something_carries_its_token(template: Path) -> None:
    for form in re.findall(r"<form\b.*?</form>", template.read_text(), re.DOTALL):
        if re.search(r'method="post"', form, re.IGNORECASE):
            assert "csrf_field()" in form, form[:200]
