"""Sealed texts: they open with their key, for their owner, unchanged, and for nothing else."""

import base64

import pytest

from scheduler.accounts.sealing import Seal
from scheduler.errors import Refused

SEAL = Seal("a secret key of forty characters or more")


def test_a_sealed_text_opens_for_its_owner_with_its_key_only() -> None:
    sealed = SEAL.close("the secret", "account 1")
    assert SEAL.open(sealed, "account 1") == "the secret"
    assert SEAL.open(sealed, "account 2") is None
    assert Seal("another key").open(sealed, "account 1") is None


def test_a_sealed_text_does_not_show_the_text_and_is_new_each_time() -> None:
    first, second = (SEAL.close("the secret", "account 1") for _ in range(2))
    assert first != second
    assert b"the secret" not in base64.urlsafe_b64decode(first)


def test_a_changed_text_does_not_open() -> None:
    content = bytearray(base64.urlsafe_b64decode(SEAL.close("the secret", "account 1")))
    for place in range(len(content)):
        changed = content.copy()
        changed[place] ^= 1
        text = base64.urlsafe_b64encode(changed).decode()
        assert SEAL.open(text, "account 1") is None


@pytest.mark.parametrize("text", ["", "x", "é", "a" * 1000, "AAAA", "=" * 8])
def test_any_other_text_does_not_open(text: str) -> None:
    assert SEAL.open(text, "account 1") is None


def test_nothing_is_sealed_without_a_key() -> None:
    with pytest.raises(Refused, match="BEATDESK_SECRET_KEY"):
        Seal(None).close("the secret", "account 1")
