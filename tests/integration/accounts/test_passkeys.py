"""Passkeys in SQL: what holds, what a wrong host, key, challenge or count does, hostile answers."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from scheduler.accounts.passkeys import LONGEST_ANSWER, MOST_PASSKEYS, Passkeys, Site, handle_of
from scheduler.accounts.sealing import Seal
from scheduler.accounts.second_factors import SecondFactors
from scheduler.accounts.sessions import Sessions
from scheduler.accounts.store import Accounts
from scheduler.errors import NotFound, Refused
from tests.support.webadmin.authenticator import USER_PRESENT, Authenticator, encoded

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANN = "ann@example.org"
SITE = Site("desk.example.org", "https://desk.example.org")
CHALLENGE = bytes(range(32))


@pytest.fixture
def passkeys(engine: Engine) -> Passkeys:
    accounts = Accounts(engine)
    accounts.create("root@example.org", "a few plain words", "admin", now=NOW)
    accounts.create(ANN, "a few plain words", "viewer", now=NOW)
    return Passkeys(engine)


def _authenticator(**changed: Any) -> Authenticator:
    return Authenticator(**({"origin": SITE.origin, "host": SITE.id} | changed))


def _add(passkeys: Passkeys, made: Authenticator, name: str = "laptop") -> list[str]:
    options = passkeys.creation_options(ANN, SITE, CHALLENGE)
    return passkeys.add(
        ANN,
        name,
        made.create(options),
        handle=handle_of(options),
        site=SITE,
        challenge=CHALLENGE,
        now=NOW,
    )


def _use(passkeys: Passkeys, made: Authenticator, **changed: Any) -> str:
    answer = made.get(passkeys.request_options(SITE, CHALLENGE))
    return passkeys.use(answer, **({"site": SITE, "challenge": CHALLENGE, "now": NOW} | changed))


def test_a_passkey_names_its_account_and_notes_its_use(passkeys: Passkeys) -> None:
    made = _authenticator()
    assert len(_add(passkeys, made)) == 10
    (listed,) = passkeys.of_account(2)
    assert (listed.name, listed.used_at) == ("laptop", None)
    later = NOW + timedelta(hours=1)
    assert _use(passkeys, made, now=later) == ANN
    assert passkeys.of_account(2)[0].used_at == later
    assert _use(passkeys, made, user_id=2) == ANN


def test_options_ask_for_a_verified_owner_and_name_what_exists(passkeys: Passkeys) -> None:
    made = _authenticator()
    _add(passkeys, made)
    creation = json.loads(passkeys.creation_options(ANN, SITE, CHALLENGE))
    assert creation["authenticatorSelection"]["userVerification"] == "required"
    assert creation["authenticatorSelection"]["residentKey"] == "required"
    assert creation["user"]["id"] == made.handle
    assert [one["id"] for one in creation["excludeCredentials"]] == [encoded(made.credential)]
    request = json.loads(passkeys.request_options(SITE, CHALLENGE, 2))
    assert request["userVerification"] == "required"
    assert [one["id"] for one in request["allowCredentials"]] == [encoded(made.credential)]
    assert json.loads(passkeys.request_options(SITE, CHALLENGE))["allowCredentials"] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "https://evil.example.org"},
        {"origin": "http://desk.example.org"},
        {"host": "evil.example.org"},
        {"flags": USER_PRESENT},
        {"flags": 0},
    ],
)
def test_another_host_or_an_unverified_owner_is_refused(
    passkeys: Passkeys, changed: dict[str, Any]
) -> None:
    with pytest.raises(Refused, match="does not hold"):
        _add(passkeys, _authenticator(**changed))
    made = _authenticator()
    _add(passkeys, made)
    for name, value in changed.items():
        setattr(made, name, value)
    with pytest.raises(Refused, match="does not hold"):
        _use(passkeys, made)


def test_another_challenge_key_account_or_handle_is_refused(
    passkeys: Passkeys, engine: Engine
) -> None:
    made = _authenticator()
    _add(passkeys, made)
    stranger = _authenticator(credential=made.credential, handle=made.handle)
    other_handle = _authenticator(credential=made.credential, key=made.key, handle="AAAA", count=9)
    calls = [
        lambda: _use(passkeys, made, challenge=bytes(32)),
        lambda: _use(passkeys, stranger),
        lambda: _use(passkeys, _authenticator()),
        lambda: _use(passkeys, made, user_id=1),
        lambda: _use(passkeys, other_handle),
    ]
    for call in calls:
        with pytest.raises(Refused, match="does not hold"):
            call()
    Accounts(engine).disable(ANN)
    with pytest.raises(Refused, match="does not hold"):
        _use(passkeys, made)


def test_a_copied_passkey_that_counts_backwards_is_refused(passkeys: Passkeys) -> None:
    made = _authenticator()
    _add(passkeys, made)
    made.count = 7
    _use(passkeys, made)
    made.count = 6
    with pytest.raises(Refused, match="does not hold"):
        _use(passkeys, made)
    made.count = 8
    assert _use(passkeys, made) == ANN


def test_a_synchronised_passkey_that_never_counts_holds(passkeys: Passkeys) -> None:
    made = _authenticator()
    _add(passkeys, made)
    for _ in range(2):
        made.count = -1
        assert _use(passkeys, made) == ANN


def test_a_passkey_is_a_second_factor_and_ends_sessions(passkeys: Passkeys, engine: Engine) -> None:
    factors = SecondFactors(engine, Seal("a key"))
    sessions = Sessions(engine)
    cookie = sessions.open(2, method="password", address="::1", browser="b", now=NOW)
    first, second = _authenticator(), _authenticator()
    assert len(_add(passkeys, first)) == 10
    assert not sessions.is_open(cookie, 2, NOW)
    assert factors.protected() == {ANN}
    assert _add(passkeys, second, "phone") == []
    cookie = sessions.open(2, method="password", address="::1", browser="b", now=NOW)
    assert passkeys.remove(ANN, encoded(first.credential)) == "laptop"
    assert not sessions.is_open(cookie, 2, NOW)
    assert factors.state(2).recovery_codes == 10
    assert passkeys.remove(ANN, encoded(second.credential)) == "phone"
    assert not factors.is_protected(2)
    assert factors.state(2).recovery_codes == 0


def test_a_passkey_is_removed_by_its_owner_only(passkeys: Passkeys) -> None:
    made = _authenticator()
    _add(passkeys, made)
    for email, text in (("root@example.org", encoded(made.credential)), (ANN, "x"), (ANN, "é")):
        with pytest.raises(NotFound):
            passkeys.remove(email, text)


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb", "a\x1bb"])
def test_a_name_is_short_and_printable(passkeys: Passkeys, name: str) -> None:
    with pytest.raises(Refused, match="name"):
        _add(passkeys, _authenticator(), name)


def test_one_passkey_is_added_once_and_there_are_not_too_many(passkeys: Passkeys) -> None:
    made = _authenticator()
    _add(passkeys, made)
    with pytest.raises(Refused, match="registered already"):
        _add(passkeys, made)
    for _ in range(MOST_PASSKEYS - 1):
        _add(passkeys, _authenticator())
    with pytest.raises(Refused, match="remove one first"):
        _add(passkeys, _authenticator())


def test_hostile_answers_raise_refusals_only(passkeys: Passkeys) -> None:
    made = _authenticator()
    _add(passkeys, made)
    generator = random.Random(20261130)  # noqa: S311 - a seed for the test
    creation = made.create(passkeys.creation_options(ANN, SITE, CHALLENGE))
    request = made.get(passkeys.request_options(SITE, CHALLENGE))
    texts = ["", "[]", "null", "{}", "[" * 4000, "1" * 5000, '{"id": 1}']
    texts.append("x" * (LONGEST_ANSWER + 1))
    texts += [_changed(creation, generator) for _ in range(150)]
    texts += [_changed(request, generator) for _ in range(150)]
    refused = 0
    for text in texts:
        try:
            # A creation's own key proves itself, whatever it is: some changed ones hold.
            passkeys.add(ANN, "n", text, handle="h", site=SITE, challenge=CHALLENGE, now=NOW)
        except Refused:
            refused += 1
        try:
            passkeys.use(text, site=SITE, challenge=CHALLENGE, now=NOW)
        except Refused:
            refused += 1
    assert refused > 1.8 * len(texts)


def _changed(answer: str, generator: random.Random) -> str:
    """An answer of an authenticator with a value that is cut, replaced, or of another kind."""
    values = json.loads(answer)
    place = generator.choice([values, values["response"]])
    name = generator.choice(list(place))
    old = place[name]
    if isinstance(old, str) and generator.random() < 0.7:
        start = generator.randrange(len(old))
        length = generator.randrange(1, 9)
        filling = generator.choice(["", "A" * length, "_" * length, "€", "\0", "=="])
        place[name] = old[:start] + filling + old[start + length :]
    else:
        place[name] = generator.choice([None, 1, [], {}, "", "é", True, 1e300])
    changed = json.dumps(values)
    return changed if changed != answer else "{}"
