"""Production: every process refuses to start on what would lose data, and says why."""

import sys
from secrets import token_urlsafe

import pytest

from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.processes import Process, env_of

CELERY = (sys.executable, "-m", "celery", "-A", "scheduler")
ROOTS = {
    "worker": (*CELERY, "worker", "--concurrency", "1", "-P", "solo"),
    "beat": (*CELERY, "beat", "-S", "redbeat.RedBeatScheduler"),
    "recorder": (sys.executable, "-m", "scheduler", "recorder"),
    "web": (sys.executable, "-c", "import webadmin; webadmin.create_app()"),
}


@pytest.fixture
def evicting(services: Services):
    services.redis.config_set("maxmemory", "100mb")
    services.redis.config_set("maxmemory-policy", "allkeys-lru")
    yield
    services.redis.config_set("maxmemory-policy", "noeviction")
    services.redis.config_set("maxmemory", "0")


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.usefixtures("evicting")
def test_no_process_of_production_starts_on_a_redis_that_evicts(root: str, settings: Settings):
    strict = settings.model_copy(
        update={"environment": "production", "secret_key": token_urlsafe(48)}
    )
    process = Process(*ROOTS[root], env=env_of(strict), name=root)
    assert process.wait(60) != 0
    assert "Redis evicts what it is given" in process.log
    assert "noeviction" in process.log


@pytest.mark.parametrize("root", ROOTS)
def test_every_process_names_all_faults_of_its_settings(root: str, settings: Settings):
    bad = {**env_of(settings), "BEATDESK_WEB_PORT": "door", "BEATDESK_DEFAULT_TIMEZONES": "UTC"}
    process = Process(*ROOTS[root], env=bad, name=root)
    assert process.wait(60) != 0
    assert "BEATDESK_WEB_PORT" in process.log
    assert "BEATDESK_DEFAULT_TIMEZONE" in process.log
    assert root == "web" or "Traceback" not in process.log
