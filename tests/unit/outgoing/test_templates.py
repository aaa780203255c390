"""Mails from templates."""

from pathlib import Path
from typing import Any

import pytest

from scheduler.errors import Refused
from scheduler.outgoing.letters import Letter
from scheduler.outgoing.templates import from_template


def made(name: str, context: dict[str, Any], folder: Path | None = None) -> Letter:
    return from_template(name, context, to=["ada@example.org"], folder=folder)


def test_the_welcome_mail_greets_by_name_as_text_and_as_a_page() -> None:
    letter = made("welcome", {"name": "Ada"})
    assert letter.subject == "Welcome, Ada"
    assert letter.text.startswith("Hello Ada,")
    assert letter.html is not None
    assert "<p>Hello Ada,</p>" in letter.html


def test_the_report_mail_lists_its_files() -> None:
    letter = made(
        "report", {"title": "November", "text": "All is well.", "files": ["a.csv", "b.pdf"]}
    )
    assert letter.subject == "November"
    assert "- a.csv\n- b.pdf" in letter.text
    assert "<li>b.pdf</li>" in str(letter.html)


def test_data_are_escaped_in_html_and_never_read_as_a_template() -> None:
    letter = made("welcome", {"name": "<b>{{ 7 * 7 }}</b>"})
    assert "Hello <b>{{ 7 * 7 }}</b>," in letter.text
    assert "Hello &lt;b&gt;{{ 7 * 7 }}&lt;/b&gt;," in str(letter.html)


def test_a_folder_of_templates_goes_before_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "welcome.txt").write_text("Subject: Moin {{ name }}\n\nMoin!\n")
    (tmp_path / "digest.txt").write_text("Subject: Digest\n\nNothing new.\n")
    assert made("welcome", {"name": "Ada"}, tmp_path).subject == "Moin Ada"
    digest = made("digest", {}, tmp_path)
    assert (digest.text, digest.html) == ("Nothing new.\n", None)


@pytest.mark.parametrize("name", ["", "../secrets", "welcome.txt", "Welcome", "a/b", "none-such"])
def test_a_template_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        made(name, {}, tmp_path)
    assert refused.value.field == "template"


@pytest.mark.parametrize(
    ("template", "field"),
    [
        ("Subject: a\n\n{{ missing }}\n", "context"),
        ("Subject: a\n\n{{ ''.__class__.__mro__ }}\n", "context"),
        ("Subject: a\n\n{{ name.append(1) }}\n", "context"),
        ("Subject: a\n\n{% for %}\n", "context"),
        ("no subject\n", "template"),
    ],
)
def test_a_template_that_cannot_be_filled_in_is_said_so(
    template: str, field: str, tmp_path: Path
) -> None:
    (tmp_path / "odd.txt").write_text(template)
    with pytest.raises(Refused) as refused:
        made("odd", {"name": []}, tmp_path)
    assert refused.value.field == field


def test_a_line_break_in_the_data_makes_no_header() -> None:
    letter = made("welcome", {"name": "Ada\nBcc: eve@example.org"})
    assert letter.subject == "Welcome, Ada"
    assert letter.text.startswith("Bcc: eve@example.org")
