"""Patterns of keys that may be deleted never match our queues."""

import pytest

from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.settings.job_limits import OWN_QUEUES, redis_keys


def test_the_queues_are_those_of_the_app() -> None:
    assert set(OWN_QUEUES) == {*QUEUES, CELERYS_QUEUE}


@pytest.mark.parametrize(
    "pattern", ["default", "def*", "bul?", "critical*", "bulk*", "bul*9", "def*6"]
)
def test_a_pattern_that_matches_a_queue_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="matches the queue"):
        redis_keys(f"{pattern} 1h")


def test_a_pattern_beside_the_queues_is_accepted() -> None:
    assert redis_keys("defaults:* 1h").pattern == "defaults:*"
