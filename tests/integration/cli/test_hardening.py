"""`doctor --hardening` on real servers: what strangers may do, with the remedy."""

import json
from collections.abc import Iterator

import pytest

from scheduler.health.hardening import servers
from scheduler.services.services import Services
from tests.support.commands import Commands
from tests.support.valkey import PASSWORD, ValkeyServer


@pytest.fixture
def open_to_strangers(services: Services) -> Iterator[Services]:
    """The services, on a server that asks for no password."""
    services.redis.config_set("requirepass", "")
    yield services
    services.redis.config_set("requirepass", PASSWORD)


def test_a_redis_with_a_password_is_well(services: Services) -> None:
    parts = servers.redis(services)
    assert [(part.name, part.ok) for part in parts] == [
        ("redis password", True),
        ("redis login", True),
        ("redis tls", True),
    ]
    assert PASSWORD not in str(parts)


def test_a_redis_that_answers_strangers_is_a_fault(open_to_strangers: Services) -> None:
    password, *_ = servers.redis(open_to_strangers)
    assert not password.ok
    assert "may start any job" in password.summary
    assert "config/redis-acl.conf" in password.remedy


def test_a_redis_that_is_away_is_a_part_and_no_error(
    services: Services, valkey: ValkeyServer
) -> None:
    valkey.stop()
    (part,) = servers.redis(services)
    assert not part.ok
    assert part.remedy


@pytest.mark.usefixtures("database_url")
def test_a_login_of_sql_with_more_rights_than_it_needs_is_a_fault(services: Services) -> None:
    parts = {part.name: part for part in servers.sql(services)}
    if services.engine.dialect.name == "sqlite":
        assert parts == {}
        return
    assert parts["sql tls"].ok
    assert not parts["sql login"].ok
    assert "SUPERUSER" in parts["sql login"].summary
    assert "NOSUPERUSER" in parts["sql login"].remedy


def test_doctor_prints_each_weakness_with_its_remedy_and_fails(beatdesk: Commands) -> None:
    ran = beatdesk("doctor", "--hardening", "--json")
    assert ran.exit_code == 1
    checks = {check["name"]: check for check in json.loads(ran.stdout)["checks"]}
    assert checks["redis password"]["ok"]
    assert not checks["secret key"]["ok"]
    assert all(check["remedy"] for check in checks.values() if not check["ok"])
    assert "beat" not in checks
    printed = beatdesk("doctor", "--hardening")
    assert printed.exit_code == 1
    assert "secret key: Make one with" in printed.stderr
    assert beatdesk.services.settings.secret_key not in printed.output
