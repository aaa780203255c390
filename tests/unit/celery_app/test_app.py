"""What Beat and the workers are told by the settings."""

import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.celery_app.app import OWN_JOBS, create_app
from scheduler.settings.schema import Settings


def conf(**settings: object) -> dict[str, object]:
    """The app's configuration for these settings."""
    app = create_app(Settings.model_validate(settings))
    app.set_current()
    return dict(app.conf)


def test_nothing_but_json_is_taken_or_sent() -> None:
    told = conf()
    assert told["accept_content"] == ["json"]
    assert (told["task_serializer"], told["result_serializer"], told["event_serializer"]) == (
        "json",
        "json",
        "json",
    )


def test_celery_lives_in_utc() -> None:
    told = conf(default_timezone="Europe/Berlin")
    assert (told["timezone"], told["enable_utc"]) == ("UTC", True)


def test_a_message_is_acknowledged_after_its_run() -> None:
    told = conf()
    assert told["task_acks_late"] is True
    assert told["task_reject_on_worker_lost"] is True
    assert told["worker_prefetch_multiplier"] == 1


def test_stock_beat_is_told_all_that_it_asks_for() -> None:
    told = conf(redis_url="redis://r:1/2", broker_url="amqp://b//", beat_lock_timeout=7)
    assert told["broker_url"] == "amqp://b//"
    assert told["redbeat_redis_url"] == "redis://r:1/2"
    assert told["redbeat_redis_options"]
    assert told["redbeat_redis_use_ssl"] is None, "the address has them, not the broker"
    assert (told["redbeat_lock_timeout"], told["beat_max_loop_interval"]) == (7, 1)
    assert told["beat_scheduler"] == "scheduler.beat.Scheduler"


@pytest.mark.parametrize(
    ("broker", "seconds"), [("redis://r/0", 52), ("rediss://r/0", 52), ("amqp://b//", None)]
)
def test_only_a_redis_broker_is_told_how_long_a_claim_holds(
    broker: str, seconds: int | None
) -> None:
    options = conf(broker_url=broker)["broker_transport_options"]
    assert isinstance(options, dict)
    assert options.get("visibility_timeout") == seconds


def test_jobs_of_the_settings_come_after_our_own() -> None:
    assert conf(jobs=("shop.jobs", "mail.jobs"))["include"] == [*OWN_JOBS, "shop.jobs", "mail.jobs"]


def test_asking_for_the_app_imports_no_job() -> None:
    code = (
        "import sys; from scheduler.settings.schema import Settings; from "
        "scheduler.services.services import Services;"
        "services = Services(Settings()); services.celery.conf.task_acks_late; services.control;"
        "print([name for name in sys.modules if name == 'scheduler.celery'"
        " or name.startswith(('scheduler.jobs', 'flask'))])"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
