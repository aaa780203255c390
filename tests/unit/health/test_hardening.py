"""Hardening, as far as the settings and the files decide: each weakness with its remedy."""

import os
from pathlib import Path

import pytest

from scheduler.health.hardening import console, machine, servers
from scheduler.settings.schema import Settings

KEY = "hL2vQ8x_Tn5RzWc0yKd7JbUq3mFs9GpA1eXi6oVt"


def production(**more: object) -> Settings:
    given = {"environment": "production", "secret_key": KEY, "allowed_hosts": ("desk.example",)}
    return Settings.model_validate({**given, **more})


def test_development_is_not_hardened() -> None:
    part = console.environment(Settings())
    assert (part.ok, part.remedy) == (False, "Set BEATDESK_ENVIRONMENT=production")
    assert console.environment(production()).ok


@pytest.mark.parametrize("key", [None, "k" * 40, "short"])
def test_a_key_that_can_be_guessed_comes_with_the_command_for_a_better_one(key: str | None) -> None:
    part = console.secret_key(Settings(secret_key=key))
    assert not part.ok
    assert "secrets.token_urlsafe(48)" in part.remedy
    good = console.secret_key(production())
    assert good.ok
    assert KEY not in good.summary


def test_production_needs_names_of_hosts() -> None:
    assert console.hosts(production()).summary == "desk.example"
    missing = console.hosts(production(allowed_hosts=()))
    assert not missing.ok
    assert "BEATDESK_ALLOWED_HOSTS" in missing.remedy


@pytest.mark.parametrize(
    ("proxies", "words"),
    [
        ((), "Put a reverse proxy with TLS in front"),
        (("10.0.0.0/8",), "Name the proxies themselves"),
        (("10.0.0.5", "fd00::/16"), "Name the proxies themselves"),
    ],
)
def test_no_proxy_and_too_many_proxies_are_faults(proxies: tuple[str, ...], words: str) -> None:
    part = console.proxies(production(trusted_proxies=proxies))
    assert not part.ok
    assert words in part.remedy


@pytest.mark.parametrize("proxies", [("10.0.0.5",), ("10.1.0.0/16", "unix")])
def test_few_named_proxies_are_well(proxies: tuple[str, ...]) -> None:
    assert console.proxies(production(trusted_proxies=proxies)).ok


@pytest.mark.parametrize(
    ("address", "faults"),
    [
        ("amqp://host/", {"broker password", "broker tls"}),
        ("amqps://desk:hush@host/", set()),
        ("amqp://desk:hush@127.0.0.1:5672/", set()),
        ("amqps://desk:hush@host/?cert_reqs=none", {"broker tls"}),
        ("redis://:hush@one:6379/1", {"broker tls"}),
        ("sentinel://:hush@one:26379;sentinel://two:26379", {"broker tls"}),
        ("rediss://:hush@host/0", set()),
    ],
)
def test_a_broker_of_its_own_has_a_password_and_tls(address: str, faults: set[str]) -> None:
    parts = servers.broker(Settings(broker_url=address))
    assert {part.name for part in parts if not part.ok} == faults
    assert all(part.remedy for part in parts if not part.ok)
    assert "hush" not in str(parts)


def test_a_broker_that_is_the_redis_of_the_schedules_has_no_parts() -> None:
    assert servers.broker(Settings()) == []


def test_each_file_that_others_can_use_is_named_in_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    for place in (data / "history.sqlite3", tmp_path / ".env"):
        place.touch()
        place.chmod(0o644)
    part = machine.files(Settings(data_dir=data))
    named = f"{data}/history.sqlite3 {tmp_path}/.env"
    assert (part.ok, part.remedy) == (False, f"Run: chmod o-rwx {named}")
    for place in (data / "history.sqlite3", tmp_path / ".env"):
        place.chmod(0o640)
    shared = machine.files(Settings(data_dir=data))
    assert shared.ok
    assert f"a group can read {data}/history.sqlite3" in shared.summary


def test_a_secret_of_jobs_that_others_can_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "shop").touch()
    settings = Settings(data_dir=tmp_path / "data", secrets_dir=secrets)
    for folder, file, is_well in (
        (0o755, 0o644, False),
        (0o755, 0o600, True),
        (0o700, 0o644, True),
    ):
        secrets.chmod(folder)
        (secrets / "shop").chmod(file)
        part = machine.files(settings)
        assert part.ok is is_well
        assert part.facts["open"] == ([] if is_well else [f"{secrets}/shop"])


def test_root_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not machine.user().ok
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert machine.user().ok
