"""Tables of the documents agree with the code: those that are made from it are fresh, the others
name what is there.
"""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from scheduler.accounts.policy import ROLES
from scheduler.celery_app.app import create_app
from scheduler.events.schema import RunSkipped, TicksMissed, TicksSkipped
from scheduler.rules.model.fields import field_of
from scheduler.rules.model.run_states import FINAL, STATES
from scheduler.rules.model.spec import Policies, Window
from scheduler.settings.environment import load
from scheduler.settings.schema import Settings
from scheduler.worker.introspect import jobs_of
from tests.docs.files import document, documents, rows, section
from tests.docs.tables import TABLES, env_example
from tests.docs.write import ENV_EXAMPLE, MARKED, rewrite

POLICIES = "docs/reference/policies.md"
STATES_PAGE = "docs/reference/run-states.md"
WHY = "docs/how-to/why-did-it-not-run.md"


def codes(cells: list[str]) -> list[str]:
    """The texts of cells that are one code, with a link around it or without."""
    return [cell.split("`")[1] for cell in cells if "`" in cell]


def column(text: str, number: int = 0) -> list[str]:
    """One column of the tables in a text, without the headings."""
    return codes([row[number] for row in rows(text)])


@pytest.mark.parametrize("name", [one.name for one in documents() if "<!-- table:" in one.text])
def test_a_table_that_is_made_from_the_code_is_fresh(name: str) -> None:
    text = document(name).text
    assert rewrite(text) == text, f"{name} is stale; run `make docs`"


def test_every_table_that_can_be_made_stands_in_one_document() -> None:
    placed = [match["name"] for one in documents() for match in MARKED.finditer(one.text)]
    assert sorted(placed) == sorted(TABLES)


def defaults(name: str, heading: str | None = None) -> dict[str, str]:
    """Names and defaults of a table with the columns name, default, meaning."""
    text = document(name).text
    found = rows(section(text, heading) if heading else text.partition("\n## ")[0])
    return {row[0].strip("`"): row[1].strip("`") for row in found if row[0].startswith("`")}


def coded(model: type[BaseModel]) -> dict[str, str]:
    """Names and defaults of a model, as the documents write them."""
    fields = model.model_fields.items()
    return {name: "none" if field.default is None else str(field.default) for name, field in fields}


def test_every_policy_and_every_limit_stands_in_the_documents_with_its_default() -> None:
    assert defaults(POLICIES) == coded(Policies) | coded(Window)


@pytest.mark.parametrize("policy", ["overlap", "catch_up"])
def test_every_choice_of_a_policy_is_explained(policy: str) -> None:
    choices = set(field_of("policies", policy).values)
    assert set(column(section(document(POLICIES).text, f"## {policy}"))) == choices


def test_every_state_of_a_run_is_explained_in_its_group() -> None:
    summary = document(STATES_PAGE).text.partition("\n## ")[0]
    groups = dict(zip(column(summary), [row[1] for row in rows(summary)][1:], strict=True))
    assert groups == {state: "final" if state in FINAL else "going on" for state in STATES}
    assert [name for name in document(STATES_PAGE).anchors if name in STATES] == list(STATES)


def reasons(kind: type[BaseModel]) -> set[str]:
    return set(get_args(kind.model_fields["reason"].annotation))


@pytest.mark.parametrize(
    ("name", "skipped", "missed"),
    [(STATES_PAGE, "## skipped", "## missed"), (WHY, "## It says skipped", "## It says missed")],
)
def test_every_reason_why_nothing_ran_is_explained(name: str, skipped: str, missed: str) -> None:
    text = document(name).text
    assert set(column(section(text, skipped))) == reasons(TicksSkipped) | reasons(RunSkipped)
    assert set(column(section(text, missed))) == reasons(TicksMissed)


def own_jobs() -> dict[str, Any]:
    """The jobs that come with Beatdesk, as a worker publishes them."""
    app = create_app(Settings())
    app.loader.import_default_modules()
    return {job.name: job for job in jobs_of(app) if job.module.startswith("scheduler.jobs.")}


def test_every_job_that_comes_with_beatdesk_is_listed() -> None:
    page = document("docs/reference/jobs.md").text
    assert set(column(page)) == set(own_jobs())


def test_every_parameter_and_setting_that_the_list_of_jobs_names_is_there() -> None:
    jobs = own_jobs()
    listed = document("docs/reference/jobs.md").text.partition("\n## ")[0]
    for name, _, parameters, settings in [row for row in rows(listed) if "`" in row[0]]:
        job = name.split("`")[1]
        offered = {parameter.name for parameter in jobs[job].parameters}
        named = {text for text in parameters.split("`")[1::2] if not text.startswith(":")}
        assert named - offered == set(), job
        assert {text.lower() for text in settings.split("`")[1::2]} - set(
            Settings.model_fields
        ) == set(), job


def test_every_setting_of_celery_has_the_value_that_is_written() -> None:
    app = create_app(Settings())
    named: set[str] = set()
    for row in rows(document("docs/reference/celery-settings.md").text):
        for text in row[0].split("`")[1::2]:
            if text.startswith("BEATDESK_"):
                continue
            place, _, value = text.partition(" = ")
            name, _, inside = place.partition("[")
            named.add(name)
            assert name in app.conf, name
            found = app.conf[name][inside.strip('"]')] if inside else app.conf[name]
            assert not value or repr(found).replace("'", '"') == value, f"{text}: it is {found!r}"
    ours = set(app.conf.changes) - {
        "broker_url",
        "result_backend",
        "include",
        "deprecated_settings",
    }
    assert named - ours == set()


def test_every_role_is_explained() -> None:
    assert column(document("docs/reference/roles.md").text.partition("\n## ")[0]) == list(ROLES)


def test_every_setting_that_a_document_names_is_there() -> None:
    allowed = {name.upper() for name in Settings.model_fields}
    wrong = {}
    for one in documents():
        named = {word for word in _settings_in(one.text) if not word.startswith("JOB_SECRET_")}
        missing = {word for word in named if word.removesuffix("_FILE") not in allowed}
        if missing:
            wrong[one.name] = missing
    assert wrong == {}


def _settings_in(text: str) -> set[str]:
    return {found.rstrip("_") for found in re.findall(r"BEATDESK_([A-Z][A-Z_]*[A-Z])", text)}


def test_the_example_of_an_environment_is_fresh_and_can_be_read(tmp_path: Path) -> None:
    text = ENV_EXAMPLE.read_text(encoding="utf-8")
    assert text == env_example(), "run `make docs`"
    given = [line.removeprefix("# ") for line in text.splitlines() if "# BEATDESK_" in line]
    assert len(given) == len(Settings.model_fields)
    values = dict(line.split("=", 1) for line in given)
    settings = load({name: value for name, value in values.items() if value}, tmp_path)
    assert settings.web_port == Settings.model_fields["web_port"].default
