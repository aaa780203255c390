"""What commands print for people shows no secret that an older schedule still has."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.clock import utc_now
from scheduler.events.secret_names import MASK
from scheduler.rules.check import CheckedSpec
from scheduler.rules.model.edit import Edit
from tests.support.builders import a_spec
from tests.support.commands import Commands


@pytest.fixture
def old(beatdesk: Commands, record: Callable[[], None]) -> Commands:
    """The commands, with a schedule that was saved before secrets in it were refused."""
    store = beatdesk.services.schedules
    edit = Edit(actor="ada", now=utc_now())
    for revision, secret in ((None, "hunter2-old"), (1, "hunter2-new")):
        value = {"db_password": secret, "in": {"token": secret}}
        spec = a_spec("n", "demo.echo", kwargs={"value": value})
        if revision is None:
            store.create(CheckedSpec(spec), edit=edit)
        else:
            store.edit("n", CheckedSpec(spec, revision), revision=revision, edit=edit)
    record()
    return beatdesk


@pytest.mark.parametrize("words", [("show", "n"), ("revisions", "n")])
def test_people_see_a_mask_in_place_of_a_secret(old: Commands, words: tuple[str, ...]) -> None:
    printed = old.done("schedules", *words)
    assert MASK in printed
    assert "hunter2" not in printed


@pytest.mark.parametrize(
    "words",
    [("show", "n"), ("list",), ("revisions", "n"), ("list", "--deleted"), ("export",)],
)
def test_programs_see_a_mask_in_place_of_a_secret(old: Commands, words: tuple[str, ...]) -> None:
    if "--deleted" in words:
        old.done("schedules", "delete", "n", "--yes")
    printed = old.done("schedules", *words, "--json")
    assert "hunter2" not in printed
    if words[0] != "list":
        assert MASK in printed


def test_an_export_has_masks_and_is_a_plan_of_nothing_all_the_same(
    old: Commands, tmp_path: Path
) -> None:
    file = tmp_path / "set.yaml"
    old.done("schedules", "export", str(file))
    assert MASK in file.read_text()
    assert "hunter2" not in file.read_text()
    assert old.done("schedules", "plan", str(file)) == "= 1 schedule unchanged\n"
    file.write_text(file.read_text().replace("  job: ", "  description: changed\n  job: "))
    old.done("schedules", "apply", str(file))
    stored = old.services.schedules.get("n")
    assert (stored.revision, stored.kwargs["value"]["db_password"]) == (3, "hunter2-new")


def test_a_plan_shows_no_secret_that_it_changes(old: Commands, tmp_path: Path) -> None:
    file = tmp_path / "set.yaml"
    old.done("schedules", "export", str(file))
    file.write_text(file.read_text().replace(MASK, "secret://db"))
    for words in (("plan", str(file)), ("plan", str(file), "--json")):
        printed = old.done("schedules", *words)
        assert "secret://db" in printed
        assert MASK in printed
        assert "hunter2" not in printed


def test_a_mask_is_no_value_of_a_secret(old: Commands, tmp_path: Path) -> None:
    file = tmp_path / "set.yaml"
    old.done("schedules", "export", str(file))
    old.done("schedules", "delete", "n", "--yes")
    assert "secret://name" in old.refused("schedules", "apply", str(file))
    url = f'{{"value": "https://ada:{MASK}@shop.example/"}}'
    words = ("schedules", "add", "m", "demo.echo", "--every", "60", "--kwargs", url)
    assert f"value: {MASK} stands where a secret was hidden" in old.refused(*words)


def test_a_refusal_shows_no_secret(beatdesk: Commands) -> None:
    words = ("schedules", "show", "redis://:hunter2xyz@host:1")
    assert "hunter2" not in beatdesk.refused(*words)
    assert "hunter2" not in str(beatdesk.refused_json(*words))


def test_a_new_password_and_token_are_shown_once(beatdesk: Commands) -> None:
    account = beatdesk.json("users", "create", "ada@example.org", "--role", "admin")
    assert len(account["password"]) > 10
    token = beatdesk.json("tokens", "create", "deploy", "--owner", "ada@example.org")
    assert token["token"].startswith("bd_")
    assert "bd_" not in beatdesk.done("tokens", "list", "--json")
