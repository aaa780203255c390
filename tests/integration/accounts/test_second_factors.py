"""Second factors in SQL: codes are used once, secrets are sealed, sessions end."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import Engine, text

from scheduler.accounts.sealing import Seal
from scheduler.accounts.second_factors import SecondFactors
from scheduler.accounts.sessions import Sessions
from scheduler.accounts.store import Accounts
from scheduler.errors import Refused

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANN = "ann@example.org"
KEY = "a secret key of forty characters or more"


@pytest.fixture
def factors(engine: Engine) -> SecondFactors:
    accounts = Accounts(engine)
    accounts.create("root@example.org", "a few plain words", "admin", now=NOW)
    accounts.create(ANN, "a few plain words", "viewer", now=NOW)
    return SecondFactors(engine, Seal(KEY))


def _code(secret: str, now: datetime = NOW) -> str:
    return pyotp.TOTP(secret).at(now)


def _set_up(factors: SecondFactors) -> tuple[str, list[str]]:
    setup = factors.begin(ANN)
    made = factors.confirm(ANN, setup.sealed, _code(setup.secret), now=NOW)
    return setup.secret, made


def test_an_authenticator_counts_after_its_first_code(factors: SecondFactors) -> None:
    setup = factors.begin(ANN)
    with pytest.raises(Refused, match="not the code"):
        factors.confirm(ANN, setup.sealed, "wrong", now=NOW)
    assert not factors.is_protected(2)
    assert factors.protected() == set()
    factors.confirm(ANN, setup.sealed, _code(setup.secret), now=NOW)
    assert factors.is_protected(2)
    assert not factors.is_protected(1)
    assert factors.protected() == {ANN}
    assert factors.state(2).recovery_codes == 10


def test_the_secret_of_another_account_is_refused(factors: SecondFactors) -> None:
    setup = factors.begin("root@example.org")
    with pytest.raises(Refused, match="begin again"):
        factors.confirm(ANN, setup.sealed, _code(setup.secret), now=NOW)


def test_a_code_is_used_once_and_never_before_a_used_one(factors: SecondFactors) -> None:
    secret, _ = _set_up(factors)
    assert factors.use_code(2, _code(secret), now=NOW) is None
    later = NOW + timedelta(seconds=60)
    code = _code(secret, later)
    assert factors.use_code(2, f"{code[:3]} {code[3:]}", now=later) == "authenticator"
    assert factors.use_code(2, code, now=later) is None
    assert factors.use_code(2, _code(secret, later - timedelta(seconds=30)), now=later) is None
    assert factors.state(2).authenticator_used_at == later


def test_a_recovery_code_is_used_once_by_its_owner(factors: SecondFactors) -> None:
    _, made = _set_up(factors)
    assert factors.use_code(1, made[0], now=NOW) is None
    assert factors.use_code(2, made[0].upper(), now=NOW) == "recovery code"
    assert factors.use_code(2, made[0], now=NOW) is None
    assert factors.state(2).recovery_codes == 9
    renewed = factors.renew_recovery_codes(ANN)
    assert factors.use_code(2, made[1], now=NOW) is None
    assert factors.use_code(2, renewed[0], now=NOW) == "recovery code"


def test_the_database_shows_neither_secret_nor_codes(
    factors: SecondFactors, engine: Engine
) -> None:
    secret, made = _set_up(factors)
    with engine.connect() as connection:
        rows = [
            str(row)
            for table in ("authenticators", "recovery_codes", "users")
            for row in connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
        ]
    for shown in (secret, *made, *(code.replace("-", "") for code in made)):
        assert shown not in "".join(rows)


def test_another_secret_key_is_named_and_recovery_codes_still_hold(
    factors: SecondFactors, engine: Engine
) -> None:
    secret, made = _set_up(factors)
    changed = SecondFactors(engine, Seal("another key"))
    later = NOW + timedelta(seconds=60)
    with pytest.raises(Refused, match="secret key of the console has changed"):
        changed.use_code(2, _code(secret, later), now=later)
    assert changed.use_code(2, made[0], now=later) == "recovery code"


@pytest.mark.parametrize("way", ["confirm", "remove", "reset"])
def test_sessions_end_with_every_change(factors: SecondFactors, engine: Engine, way: str) -> None:
    if way != "confirm":
        _set_up(factors)
    cookie = Sessions(engine).open(2, method="password", address="::1", browser="b", now=NOW)
    assert Sessions(engine).is_open(cookie, 2, NOW)
    if way == "confirm":
        _set_up(factors)
    elif way == "remove":
        factors.remove_authenticator(ANN)
    else:
        factors.reset(ANN)
    assert not Sessions(engine).is_open(cookie, 2, NOW)
    assert factors.is_protected(2) is (way == "confirm")
    assert factors.state(2).recovery_codes == (10 if way == "confirm" else 0)


def test_what_does_not_exist_cannot_be_removed(factors: SecondFactors) -> None:
    for call in (factors.reset, factors.remove_authenticator, factors.renew_recovery_codes):
        with pytest.raises(Refused, match="no"):
            call(ANN)
