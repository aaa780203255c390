"""How many connections a process of the console holds."""

import resource

import pytest
from gunicorn.config import Config
from gunicorn.errors import ConfigError
from gunicorn.glogging import Logger

from webadmin.sockets.worker import PatientWorker, most_connections


@pytest.mark.parametrize(
    ("open_files", "most"),
    [(256, 192), (1024, 768), (1_000_000, 1000), (resource.RLIM_INFINITY, 1000)],
)
def test_connections_leave_files_for_everything_else(open_files: int, most: int) -> None:
    assert most_connections(1000, open_files) == most


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [("certfile", "desk.pem", "reverse proxy"), ("proxy_protocol", "auto", "TRUSTED_PROXIES")],
)
def test_what_the_worker_does_not_speak_is_refused_with_the_remedy(
    name: str, value: str, remedy: str
) -> None:
    config = Config()
    config.set(name, value)
    with pytest.raises(ConfigError, match=remedy):
        PatientWorker.check_config(config, Logger(config))
