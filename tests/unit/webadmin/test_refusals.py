"""What the engine refuses becomes a message or a page, once for all views."""

import sqlite3
from collections.abc import Callable

import pytest
from flask import Flask, get_flashed_messages, redirect, request
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.exc import IntegrityError, OperationalError

from scheduler.errors import NotFound, Refused, StaleRevision, Unavailable, UnreadableEntry
from webadmin.forms.json_text import BadJson
from webadmin.refusals import at_field, shows_refusals, while_away

STALE = StaleRevision("changed", given=1, current=3)


def answer_to(
    error: Exception, method: str = "POST", **options: object
) -> tuple[str, list[tuple[str, str]]]:
    """Where a view that meets this error sends its visitor, and the messages that it leaves."""
    app = Flask("console")
    app.secret_key = "signs the messages"
    app.add_url_rule("/things/<name>/", "show", lambda name: name)
    app.add_url_rule("/things/<name>/delete", "ask", lambda name: name)
    given = {"to": "show", **options}

    @shows_refusals("{name} was not deleted", **given)  # type: ignore[arg-type]
    def delete(self: object, name: str) -> str:
        raise error

    with app.test_request_context("/things/nightly/delete", method=method):
        reply = delete(None, name="nightly")
        place = (
            reply if isinstance(reply, str) else f"{reply.status_code} {reply.headers['Location']}"
        )  # type: ignore[union-attr]
        return place, get_flashed_messages(with_categories=True)


@pytest.mark.parametrize("kind", [Refused, UnreadableEntry, BadJson])
def test_a_refusal_is_a_message_that_says_what_did_not_happen_and_why(
    kind: type[Exception],
) -> None:
    place, messages = answer_to(kind("it is owned by code"))
    assert place == "303 /things/nightly/"
    assert messages == [("danger", "nightly was not deleted. It is owned by code.")]


def test_an_edit_on_a_stale_revision_leads_back_to_what_is_stored_now() -> None:
    place, messages = answer_to(STALE, again="ask")
    assert place == "303 /things/nightly/delete"
    ((category, text),) = messages
    assert category == "warning"
    assert text.startswith(
        "nightly was not deleted: it has been changed to revision 3 since you looked. See it"
    )


def test_a_form_takes_the_refusal_unless_it_was_not_sent() -> None:
    def fill_in(view: object, error: Exception, name: str) -> str | None:
        return f"the form of {name}: {error}" if "kwargs" in request.args else None

    place, messages = answer_to(Refused("no"), page=fill_in)
    assert (place, len(messages)) == ("303 /things/nightly/", 1)
    assert answer_to(
        Refused("no"), page=lambda view, error, name: f"the form of {name}: {error}"
    ) == (
        "the form of nightly: no",
        [],
    )


def test_an_address_may_be_a_function_of_the_views_arguments() -> None:
    to: Callable[..., object] = lambda name: redirect(f"/elsewhere?name={name}", 303)  # noqa: E731
    assert answer_to(Refused("no"), to=to)[0] == "303 /elsewhere?name=nightly"


@pytest.mark.parametrize(
    "error", [NotFound("gone"), Unavailable("away"), ZeroDivisionError("ours")]
)
def test_what_is_no_refusal_passes(error: Exception) -> None:
    with pytest.raises(type(error)):
        answer_to(error)


def test_a_view_may_name_further_refusals() -> None:
    assert answer_to(Unavailable("away"), also=(Unavailable,))[1] == [
        ("danger", "nightly was not deleted. Away.")
    ]


def test_looking_at_a_page_is_never_answered_with_a_redirect_to_it() -> None:
    with pytest.raises(Refused):
        answer_to(Refused("no"), method="GET")


def test_a_reason_stands_at_the_forms_name_of_the_field() -> None:
    fields = {"zone": "timezone"}
    assert at_field(Refused("no such zone", field="zone"), fields, "form") == {
        "timezone": "No such zone."
    }
    assert at_field(Refused("no", field="elsewhere"), fields, "form") == {"form": "No."}
    assert at_field(BadJson("no"), fields, "form") == {"form": "No."}


def reads(error: Exception) -> list[str]:
    @while_away([])
    def read() -> list[str]:
        raise error

    return read()


def test_a_part_is_left_out_while_its_server_is_away() -> None:
    away = OperationalError("SELECT 1", None, sqlite3.OperationalError("no connection"))
    assert [reads(error) for error in (Unavailable(), RedisConnectionError(), away)] == [[], [], []]


def test_a_fault_of_ours_is_no_outage() -> None:
    for error in (KeyError("x"), IntegrityError("INSERT", None, Exception("not unique"))):
        with pytest.raises(type(error)):
            reads(error)
