"""One journey of people and tokens on both kinds of database."""

from datetime import UTC, datetime

from scheduler.accounts.password_links import PasswordLinks
from scheduler.accounts.sessions import Sessions
from scheduler.accounts.store import Accounts
from scheduler.accounts.tokens import Tokens
from tests.support.fixtures import migrate, open_engine

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
EVE = "eve@example.org"


def test_a_person_is_invited_works_and_is_disabled(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    accounts, tokens, sessions = Accounts(engine), Tokens(engine), Sessions(engine)
    accounts.create("root@example.org", "a few plain words", "admin", now=NOW)
    link = PasswordLinks(engine).invite(EVE, "viewer", by="root@example.org", now=NOW)
    PasswordLinks(engine).use(str(link.text), "some other plain words", now=NOW)
    accounts.grant(EVE, "operator", "finance")
    cookie = sessions.open(2, method="password", address="::1", browser="b", now=NOW)
    token = tokens.create("deploy", "operate", owner=EVE, by=EVE, now=NOW, tag="finance")
    holder = tokens.holder(token.token, NOW)
    assert holder is not None
    assert dict(holder.rights.tags) == {"finance": "operator"}
    assert sessions.is_open(cookie, 2, NOW)
    accounts.disable(EVE)
    assert not sessions.is_open(cookie, 2, NOW)
    assert tokens.holder(token.token, NOW) is None
    engine.dispose()
