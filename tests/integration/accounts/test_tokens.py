"""Tokens: what is stored, who may have which, and when one holds."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from scheduler.accounts.store import Accounts
from scheduler.accounts.tokens import Tokens
from scheduler.errors import NotFound, Refused

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANN = "ann@example.org"


@pytest.fixture
def accounts(engine: Engine) -> Accounts:
    accounts = Accounts(engine)
    accounts.create("root@example.org", "a few plain words", "admin", now=NOW)
    accounts.create(ANN, "a few plain words", "operator", now=NOW)
    return accounts


@pytest.fixture
def tokens(engine: Engine, accounts: Accounts) -> Tokens:
    return Tokens(engine)


def test_the_secret_has_256_bits_a_prefix_and_is_not_stored(engine: Engine, tokens: Tokens) -> None:
    made = tokens.create("deploy", "read", owner=ANN, by=ANN, now=NOW)
    assert made.token.startswith("bd_")
    assert len(made.token) == 46
    with engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM tokens").all())
    assert made.token not in rows
    assert made.token[3:] not in rows
    assert made.expires_at == NOW + timedelta(days=90)


def test_a_token_holds_until_it_expires(tokens: Tokens) -> None:
    made = tokens.create("deploy", "operate", owner=ANN, by=ANN, now=NOW, days=1)
    holder = tokens.holder(made.token, NOW + timedelta(hours=23))
    assert holder is not None
    assert holder.actor == "ann@example.org token:deploy"
    assert holder.rights.role == "operator"
    assert tokens.holder(made.token, NOW + timedelta(hours=24)) is None


def test_a_revoked_token_holds_no_more_and_stays_in_the_list(tokens: Tokens) -> None:
    made = tokens.create("deploy", "read", owner=ANN, by=ANN, now=NOW)
    tokens.revoke(made.id, owner=ANN, now=NOW)
    assert tokens.holder(made.token, NOW) is None
    assert [one.state(NOW) for one in tokens.list()] == ["revoked"]


def test_a_token_of_somebody_else_is_not_revoked(tokens: Tokens) -> None:
    made = tokens.create("deploy", "read", owner=ANN, by=ANN, now=NOW)
    with pytest.raises(NotFound):
        tokens.revoke(made.id, owner="root@example.org", now=NOW)
    assert tokens.holder(made.token, NOW) is not None


def test_a_token_shrinks_with_the_rights_of_its_owner(tokens: Tokens, accounts: Accounts) -> None:
    made = tokens.create("deploy", "operate", owner=ANN, by=ANN, now=NOW)
    accounts.set_role(ANN, "viewer")
    holder = tokens.holder(made.token, NOW)
    assert holder is not None
    assert holder.rights.role == "viewer"
    accounts.disable(ANN)
    assert tokens.holder(made.token, NOW) is None


def test_nobody_makes_a_token_with_more_rights_than_his_own(tokens: Tokens) -> None:
    with pytest.raises(Refused) as refusal:
        tokens.create("deploy", "admin", owner=ANN, by=ANN, now=NOW)
    assert refusal.value.field == "scope"


def test_a_service_has_a_token_without_a_person(tokens: Tokens) -> None:
    made = tokens.create("ci", "operate", owner=None, by="root@example.org", now=NOW, tag="finance")
    holder = tokens.holder(made.token, NOW)
    assert holder is not None
    assert holder.actor == "token:ci"
    assert holder.rights.role == "viewer"
    assert dict(holder.rights.tags) == {"finance": "operator"}


def test_a_name_in_use_is_refused_until_its_token_is_revoked(tokens: Tokens) -> None:
    made = tokens.create("deploy", "read", owner=ANN, by=ANN, now=NOW)
    with pytest.raises(Refused) as refusal:
        tokens.create("deploy", "read", owner=ANN, by=ANN, now=NOW)
    assert refusal.value.field == "name"
    tokens.revoke(made.id, now=NOW)
    tokens.create("deploy", "read", owner=ANN, by=ANN, now=NOW)


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "x" * 64, "-x", "tök"])
def test_a_name_that_does_not_fit_a_line_is_refused(tokens: Tokens, name: str) -> None:
    with pytest.raises(Refused) as refusal:
        tokens.create(name, "read", owner=ANN, by=ANN, now=NOW)
    assert refusal.value.field == "name"


@pytest.mark.parametrize("days", [0, -1, 3651, 10**9])
def test_days_out_of_range_are_refused(tokens: Tokens, days: int) -> None:
    with pytest.raises(Refused) as refusal:
        tokens.create("deploy", "read", owner=ANN, by=ANN, now=NOW, days=days)
    assert refusal.value.field == "days"


def test_the_last_use_is_noted_but_not_at_each_call(tokens: Tokens) -> None:
    made = tokens.create("deploy", "read", owner=ANN, by=ANN, now=NOW)
    for minutes in (0, 4, 6):
        assert tokens.holder(made.token, NOW + timedelta(minutes=minutes)) is not None
        used = NOW if minutes < 5 else NOW + timedelta(minutes=6)
        assert tokens.list()[0].used_at == used
