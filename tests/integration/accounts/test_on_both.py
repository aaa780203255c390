"""People and tokens on both kinds of database: one journey, and what two do at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier

import pyotp

from scheduler.accounts.password_links import PasswordLinks
from scheduler.accounts.sealing import Seal
from scheduler.accounts.second_factors import SecondFactors
from scheduler.accounts.sessions import Sessions
from scheduler.accounts.store import Accounts
from scheduler.accounts.tokens import Tokens
from scheduler.errors import BeatdeskError, Refused
from tests.support.fixtures import migrate, open_engine

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
EVE = "eve@example.org"
ADMINS = ("root@example.org", EVE)
WORDS = ("some other plain words", "yet other plain words")
ROUNDS = 10


def _at_once(*calls: Callable[[], object]) -> list[str]:
    """How calls end that begin at the same moment in threads of their own, in order."""
    barrier = Barrier(len(calls))

    def end(call: Callable[[], object]) -> str:
        barrier.wait()
        try:
            call()
        except BeatdeskError:
            return "refused"
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(end, calls))


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


def test_two_administrators_cannot_disable_each_other_at_once(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    accounts = Accounts(engine)
    for email in ADMINS:
        accounts.create(email, "a few plain words", "admin", now=NOW)
    for _ in range(ROUNDS):
        results = _at_once(*[partial(accounts.disable, email) for email in ADMINS])
        assert results == ["done", "refused"]
        for email in ADMINS:
            accounts.enable(email)
    engine.dispose()


def test_a_link_that_is_opened_twice_at_once_sets_one_password(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    links = PasswordLinks(engine)
    Accounts(engine).create(EVE, "a few plain words", "viewer", now=NOW)
    for _ in range(ROUNDS):
        text = str(links.reset(EVE, by="root", now=NOW).text)
        results = _at_once(*[partial(links.use, text, words, now=NOW) for words in WORDS])
        assert results == ["done", "refused"]
    engine.dispose()


def test_a_code_that_is_sent_twice_at_once_holds_once(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    Accounts(engine).create(EVE, "a few plain words", "viewer", now=NOW)
    factors = SecondFactors(engine, Seal("a key"))
    setup = factors.begin(EVE)
    first = pyotp.TOTP(setup.secret).at(NOW)
    made = factors.confirm(EVE, setup.sealed, first, now=NOW)

    def use(code: str, now: datetime) -> None:
        if factors.use_code(1, code, now=now) is None:
            raise Refused("the code does not hold")

    for number, recovery in enumerate(made, start=1):
        now = NOW + timedelta(seconds=60 * number)
        code = pyotp.TOTP(setup.secret).at(now)
        assert _at_once(*[partial(use, code, now)] * 2) == ["done", "refused"]
        assert _at_once(*[partial(use, recovery, now)] * 2) == ["done", "refused"]
    engine.dispose()


def test_two_set_ups_at_once_leave_one_authenticator(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    Accounts(engine).create(EVE, "a few plain words", "viewer", now=NOW)
    factors = SecondFactors(engine, Seal("a key"))
    calls = []
    for _ in range(2):
        setup = factors.begin(EVE)
        code = pyotp.TOTP(setup.secret).at(NOW)
        calls.append(partial(factors.confirm, EVE, setup.sealed, code, now=NOW))
    for _ in range(ROUNDS):
        assert _at_once(*calls) == ["done", "done"]
        assert factors.state(1).recovery_codes == 10
    engine.dispose()
