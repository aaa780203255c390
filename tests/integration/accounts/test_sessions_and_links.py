"""Sessions, links that set a password, and roles by tag."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from scheduler.accounts.password_links import PasswordLinks
from scheduler.accounts.sessions import LIFETIME, MOST_SESSIONS, Sessions
from scheduler.accounts.store import Accounts
from scheduler.errors import NotFound, Refused

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANN = "ann@example.org"
WORDS = "some other plain words"


@pytest.fixture
def accounts(engine: Engine) -> Accounts:
    accounts = Accounts(engine)
    accounts.create("root@example.org", "a few plain words", "admin", now=NOW)
    accounts.create(ANN, "a few plain words", "viewer", now=NOW)
    return accounts


def _open(engine: Engine, user: int = 2, *, now: datetime = NOW) -> str:
    return Sessions(engine).open(
        user, method="password", address="127.0.0.1", browser="A\nbrowser", now=now
    )


def test_a_session_is_open_until_it_was_unused_for_long(engine: Engine, accounts: Accounts) -> None:
    text = _open(engine)
    sessions = Sessions(engine)
    assert sessions.is_open(text, 2, NOW)
    assert not sessions.is_open(text, 1, NOW)
    assert not sessions.is_open(text + "x", 2, NOW)
    assert sessions.is_open(text, 2, NOW + LIFETIME)
    assert sessions.is_open(text, 2, NOW + LIFETIME + LIFETIME)
    assert not sessions.is_open(text, 2, NOW + 3 * LIFETIME + timedelta(seconds=1))


def test_a_session_is_listed_with_a_plain_browser_and_ended(
    engine: Engine, accounts: Accounts
) -> None:
    first, second = _open(engine), _open(engine)
    sessions = Sessions(engine)
    listed = sessions.list(2, NOW)
    assert {one.browser for one in listed} == {"Abrowser"}
    with pytest.raises(NotFound):
        sessions.end(listed[0].id, 1)
    for one in listed:
        sessions.end(one.id, 2)
    assert not sessions.is_open(first, 2, NOW)
    assert not sessions.is_open(second, 2, NOW)


def test_an_account_has_a_bounded_number_of_sessions(engine: Engine, accounts: Accounts) -> None:
    oldest = _open(engine)
    for number in range(MOST_SESSIONS):
        _open(engine, now=NOW + timedelta(seconds=1 + number))
    sessions = Sessions(engine)
    assert len(sessions.list(2, NOW)) == MOST_SESSIONS
    assert not sessions.is_open(oldest, 2, NOW)


@pytest.mark.parametrize("change", ["role", "password", "disable", "sign out", "tag"])
def test_a_change_of_the_account_ends_its_sessions(
    engine: Engine, accounts: Accounts, change: str
) -> None:
    text = _open(engine)
    if change == "role":
        accounts.set_role(ANN, "operator")
    elif change == "password":
        accounts.change_password(ANN, "a few plain words", WORDS)
    elif change == "disable":
        accounts.disable(ANN)
    elif change == "sign out":
        accounts.sign_out(ANN)
    else:
        accounts.grant(ANN, "operator", "finance")
    assert not Sessions(engine).is_open(text, 2, NOW)


def test_a_password_is_changed_only_with_the_current_one(accounts: Accounts) -> None:
    with pytest.raises(Refused) as refusal:
        accounts.change_password(ANN, "wrong", WORDS)
    assert refusal.value.field == "current"
    assert accounts.has_password(ANN, "a few plain words")
    accounts.change_password(ANN, "a few plain words", WORDS)
    assert accounts.has_password(ANN, WORDS)


def test_an_invitation_sets_a_password_once(engine: Engine, accounts: Accounts) -> None:
    links = PasswordLinks(engine)
    link = links.invite("eve@example.org", "viewer", by="root@example.org", now=NOW)
    assert link.text is not None
    assert links.find(link.text, NOW).email == "eve@example.org"
    assert list(links.waiting()) == ["eve@example.org"]
    with pytest.raises(Refused):
        links.use(link.text, "short", now=NOW)
    links.use(link.text, WORDS, now=NOW)
    assert accounts.has_password("eve@example.org", WORDS)
    assert links.waiting() == {}
    with pytest.raises(NotFound):
        links.use(link.text, "yet other plain words", now=NOW)


def test_an_invitation_expires(engine: Engine, accounts: Accounts) -> None:
    link = PasswordLinks(engine).invite("eve@example.org", "viewer", by="root", now=NOW)
    with pytest.raises(NotFound):
        PasswordLinks(engine).find(str(link.text), NOW + timedelta(days=3))


def test_a_new_link_replaces_the_old_one_and_the_password(
    engine: Engine, accounts: Accounts
) -> None:
    links = PasswordLinks(engine)
    first = links.reset(ANN, by="root", now=NOW)
    second = links.reset(ANN, by="root", now=NOW)
    assert not accounts.has_password(ANN, "a few plain words")
    with pytest.raises(NotFound):
        links.find(str(first.text), NOW)
    links.use(str(second.text), WORDS, now=NOW)
    assert accounts.has_password(ANN, WORDS)


def test_a_link_of_a_disabled_account_opens_nothing(engine: Engine, accounts: Accounts) -> None:
    links = PasswordLinks(engine)
    link = links.reset(ANN, by="root", now=NOW)
    accounts.disable(ANN)
    with pytest.raises(NotFound):
        links.use(str(link.text), WORDS, now=NOW)


def test_a_new_password_ends_the_link_that_was_made_before(
    engine: Engine, accounts: Accounts
) -> None:
    links = PasswordLinks(engine)
    link = links.reset(ANN, by="root", now=NOW)
    accounts.reset_password(ANN, "a few plain words")
    with pytest.raises(NotFound):
        links.use(str(link.text), WORDS, now=NOW)
    assert accounts.has_password(ANN, "a few plain words")


def test_a_password_by_link_ends_the_sessions_that_began_meanwhile(
    engine: Engine, accounts: Accounts
) -> None:
    links = PasswordLinks(engine)
    link = links.reset(ANN, by="root", now=NOW)
    text = _open(engine)
    links.use(str(link.text), WORDS, now=NOW)
    assert not Sessions(engine).is_open(text, 2, NOW)
    assert Sessions(engine).list(2, NOW) == []


def test_roles_by_tag_are_given_replaced_and_taken_away(accounts: Accounts) -> None:
    assert accounts.grant(ANN, "operator", " finance ").tags == {"finance": "operator"}
    assert accounts.grant(ANN, "admin", "finance").tags == {"finance": "admin"}
    assert accounts.get(ANN).tags == {"finance": "admin"}
    assert accounts.withdraw(ANN, "finance").tags == {}
    with pytest.raises(NotFound):
        accounts.withdraw(ANN, "finance")


@pytest.mark.parametrize(
    ("role", "tag"),
    [("viewer", "a"), ("x", "a"), ("operator", ""), ("operator", "a,b"), ("operator", "x" * 51)],
)
def test_a_bad_role_or_tag_is_refused(accounts: Accounts, role: str, tag: str) -> None:
    with pytest.raises(Refused):
        accounts.grant(ANN, role, tag)
