"""A secret key that people type or copy is refused in production, and a random one never."""

import re
import secrets
from pathlib import Path

import pytest

from scheduler.settings.environment import load
from scheduler.settings.errors import BadSettings
from scheduler.settings.key_strength import PUBLISHED, weakness
from tests.support.processes import ROOT

RANDOM = "hL2vQ8x_Tn5RzWc0yKd7JbUq3mFs9GpA1eXi6oVt"

WEAK = {
    "hush-hush": "it has 9 characters, production needs 32 or more",
    "k" * 40: "it repeats a text of 1 characters",
    "hunter2-" * 5: "it repeats a text of 8 characters",
    "9f3a71c0" * 4 + "9f3": "it repeats a text of 8 characters",
    "abcdefghijklmnopqrstuvwxyz0123456789": "follow one another",
    "aaaaaaaaaabbbbbbbbbbccccccccccdddd": "follow one another",
    "please-change-me-before-going-live": "has words of one",
    "My_Very_Own_BEATDESK_key_of_2026_xyz": "has words of one",
    "not-a-secret-not-a-secret-not-a-secret": "it repeats a text of 13 characters",
    "28462846482624868246284864268246": "about 6",
}


@pytest.mark.parametrize(("key", "reason"), WEAK.items())
def test_a_key_that_people_type_is_weak(key: str, reason: str) -> None:
    assert reason in str(weakness(key))


@pytest.mark.parametrize("key", PUBLISHED)
def test_a_key_of_published_documents_is_weak(key: str) -> None:
    assert "it is an example of documents" in str(weakness(key))


def test_random_keys_are_strong_in_every_usual_spelling() -> None:
    makers = (secrets.token_urlsafe, secrets.token_hex, lambda n: secrets.token_bytes(n).hex("-"))
    refused = [weakness(make(24)) for make in makers for _ in range(300)]
    assert refused == [None] * 900
    assert weakness(secrets.token_hex(16)) is None


def test_production_refuses_a_weak_key_with_the_command_that_makes_one(tmp_path: Path) -> None:
    environ = {"BEATDESK_ENVIRONMENT": "production", "BEATDESK_SECRET_KEY": "hunter2-" * 5}
    with pytest.raises(BadSettings) as refusal:
        load(environ, tmp_path)
    assert "BEATDESK_SECRET_KEY='***' (environment): it repeats a text" in str(refusal.value)
    assert "secrets.token_urlsafe(48)" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert load({**environ, "BEATDESK_SECRET_KEY": RANDOM}, tmp_path).secret_key == RANDOM


def test_development_takes_any_key(tmp_path: Path) -> None:
    assert load({"BEATDESK_SECRET_KEY": "k" * 40}, tmp_path).secret_key == "k" * 40


def test_each_key_in_our_own_documents_and_examples_is_weak() -> None:
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "config/env.example"]
    assignment = re.compile(r"BEATDESK_SECRET_KEY=['\"]?([^\s'\"`]+)")
    keys = [key for path in texts for key in assignment.findall(path.read_text())]
    assert [key for key in keys if weakness(key) is None] == []
    assert assignment.findall(f"export BEATDESK_SECRET_KEY='{RANDOM}'") == [RANDOM]
