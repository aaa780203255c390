"""Secrets of jobs in the environment are no settings; in `.env` no worker would see them."""

import pytest

from scheduler.settings.environment import load
from scheduler.settings.errors import BadSettings


def test_a_secret_of_a_job_may_stand_in_the_environment(tmp_path):
    assert load({"BEATDESK_JOB_SECRET_SHOP": "hunter22"}, tmp_path) == load({}, tmp_path)


def test_in_the_file_it_is_refused(tmp_path):
    (tmp_path / ".env").write_text("BEATDESK_JOB_SECRET_SHOP=hunter22\n")
    with pytest.raises(
        BadSettings, match=r"BEATDESK_JOB_SECRET_SHOP: there is no such setting \(\.env\)"
    ) as refusal:
        load({}, tmp_path)
    assert "hunter22" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FLASK_APP", "shop"),
        ("FLASK_APP", "shop:create-app"),
        ("FLASK_URL", "shop.example"),
        ("FLASK_URL", "https://ada:hush@shop.example"),
        ("RUN_LOG_LEVEL", "LOUD"),
        ("RUN_LOG_LINES", "1"),
    ],
)
def test_what_nothing_can_use_is_refused(tmp_path, name, value):
    with pytest.raises(BadSettings, match=f"BEATDESK_{name}"):
        load({f"BEATDESK_{name}": value}, tmp_path)
