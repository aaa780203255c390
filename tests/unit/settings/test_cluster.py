"""Addresses of Redis Cluster."""

import pytest

from scheduler.settings.validation import unusable


@pytest.mark.parametrize("field", ["redis_url", "broker_url"])
@pytest.mark.parametrize(
    "scheme", ["rediscluster", "redis+cluster", "rediss-cluster", "Redis+Cluster"]
)
def test_they_are_refused_with_what_to_name_instead(field: str, scheme: str) -> None:
    fault = unusable(field, f"{scheme}://one:6379,two:6379", "environment")
    assert fault is not None
    assert "Redis Cluster cannot be used" in fault.problem
    assert "Sentinel" in fault.remedy
    assert "RabbitMQ" in fault.remedy


@pytest.mark.parametrize(
    "address", ["redis://my-cluster.internal:6379/0", "rediss://one/0", "unix:///run/redis.sock"]
)
def test_other_addresses_are_not(address: str) -> None:
    assert unusable("redis_url", address, "environment") is None
    assert unusable("broker_url", address, "environment") is None
