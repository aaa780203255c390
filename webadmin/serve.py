"""`beatdesk web`: the console under gunicorn, in the process of the command.

`gunicorn 'webadmin:create_app()'` imports the package by name, first from the working folder, and
could load a user's package `webadmin` by mistake. The command passes the application object
instead.
"""

import sys
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from scheduler.process_logs import configure
from scheduler.settings import user_modules
from scheduler.settings.environment import load
from scheduler.settings.schema import Settings

THREADS = 16
"""Concurrent requests of one process; most requests wait for Redis or SQL."""


class Console(BaseApplication):
    """Gunicorn with the console; each worker process makes the application after the fork."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's configuration from the options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the WSGI application, made in the worker process."""
        from webadmin import create_app

        return create_app(self._settings)


@click.command()
@click.option("--bind", help="HOST:PORT; default BEATDESK_WEB_HOST and BEATDESK_WEB_PORT.")
@click.option("--fd", type=click.IntRange(min=3), help="A socket that is open already.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1, 256), default=THREADS, show_default=True)
def web(bind: str | None, fd: int | None, workers: int, threads: int) -> None:
    """Serve the console until SIGTERM or Ctrl-C."""
    from webadmin.sockets.worker import PatientWorker

    folder = Path.cwd()
    user_modules.put_last(folder)
    for collision in user_modules.collisions(folder):
        click.echo(f"beatdesk: {collision}", err=True)
    settings = load()
    configure(settings.log_level, settings.log_format)
    address = bind or f"{settings.web_host}:{settings.web_port}"
    if bind and ":" in bind and not bind.startswith("unix:"):
        host = bind.rpartition(":")[0].strip("[]")
        settings = settings.model_copy(update={"web_host": host})
    options = {
        "bind": [f"fd://{fd}" if fd is not None else address],
        "workers": workers,
        "worker_class": PatientWorker,
        "threads": threads,
        "graceful_timeout": 8,
        "loglevel": "warning",
        "forwarded_allow_ips": "",  # webadmin.front reads the headers of proxies
        "control_socket_disable": True,
    }
    sys.argv[1:] = []  # gunicorn would parse the arguments too
    Console(settings, options).run()
