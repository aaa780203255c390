"""What commands print for people shows no secret that an older schedule still has."""

from collections.abc import Callable

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
        spec = a_spec("n", "demo.plain", kwargs={"db_password": secret, "in": {"token": secret}})
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


def test_programs_get_a_definition_as_it_is_stored(old: Commands) -> None:
    assert old.json("schedules", "show", "n")["kwargs"]["db_password"] == "hunter2-new"
    assert "hunter2-new" in old.done("schedules", "export")
