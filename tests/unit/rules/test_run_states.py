"""The states of a run: everything that depends on the state alone stands in one table."""

import re
from pathlib import Path

import pytest

from scheduler.jobs import cleanup
from scheduler.rules.model.run_states import (
    FINAL,
    STATES,
    RunGroup,
    RunState,
    is_without_run,
    state_of,
    values_in,
)

CODE = Path(__file__).parents[3]
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
LITERAL = re.compile(rf"""(["'])({"|".join(STATES)})\1""")
STYLE_SHEETS = "\n".join(path.read_text() for path in (CODE / "webadmin/static/app").glob("*.css"))


def test_the_values_are_those_of_the_ledger():
    assert set(STATES) == {
        "queued",
        "running",
        "retrying",
        "succeeded",
        "failed",
        "skipped",
        "missed",
        "expired",
        "revoked",
        "lost",
    }


def test_a_run_leaves_only_what_waits_or_is_active():
    assert set(STATES) - FINAL == {"queued", "running", "retrying"}
    assert set(STATES) - FINAL == set(values_in(RunGroup.WAITING, RunGroup.ACTIVE))


def test_every_group_has_states_and_every_state_one_group():
    assert sorted(value for group in RunGroup for value in values_in(group)) == sorted(STATES)
    assert all(values_in(group) for group in RunGroup)


def test_a_state_of_a_later_version_is_none_of_ours():
    assert state_of("quarantined") is None
    assert not is_without_run("quarantined")
    assert state_of("lost") is RunState.LOST


def test_the_states_that_a_cleanup_takes_are_the_final_ones():
    schema = cleanup.JobHistory.model_json_schema()
    (choices,) = (
        part["items"]["enum"] for part in schema["properties"]["states"]["anyOf"] if "items" in part
    )
    assert set(choices) == FINAL


def test_every_state_has_its_class_in_the_style_sheet_and_every_group_its_bar():
    assert {
        state.colour for state in RunState if f".state-{state.colour} " not in STYLE_SHEETS
    } == set()
    assert {
        group.value for group in RunGroup if not re.search(rf"\.bar-{group.value}\b", STYLE_SHEETS)
    } == set()


@pytest.mark.parametrize(
    "template", sorted((CODE / "webadmin/templates").rglob("*.html")), ids=lambda path: path.name
)
def test_no_template_names_a_state(template: Path):
    named = [
        found[0] for part in JINJA.findall(template.read_text()) for found in LITERAL.finditer(part)
    ]
    assert named == []


def test_a_state_in_a_template_is_found():
    assert LITERAL.search(JINJA.findall("""<p>{% if run.state in ("lost", 'x') %}</p>""")[0])
    assert not LITERAL.search("".join(JINJA.findall('<input name="missed" value="{{ value }}">')))
