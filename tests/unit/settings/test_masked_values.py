"""Settings in messages: no secret is shown."""

import pytest

from scheduler.settings.errors import masked


@pytest.mark.parametrize(
    "name", ["BEATDESK_SECRET_KEY", "BEATDESK_STARTER_TOKEN", "BEATDESK_OIDC_CLIENT_SECRET"]
)
@pytest.mark.parametrize(
    "value", ["hunter2hunter2", "hunter2://hunter2", "redis://hunter2/hunter2"]
)
def test_a_secret_that_looks_like_an_address_is_hidden_too(name: str, value: str) -> None:
    assert "hunter2" not in masked(name, value)


def test_an_address_is_shown_without_its_password() -> None:
    assert masked("BEATDESK_REDIS_URL", "redis://:hunter2@host/0") == "'redis://:***@host/0'"
    assert masked("BEATDESK_REDIS_URL", "hunter2") == "'***'"
