"""`beatdesk up`: every process of Beatdesk on this machine, in order."""

import logging
import os
import socket
from pathlib import Path

import click

from scheduler.process_logs import configure
from scheduler.services.services import Services
from scheduler.settings import server_file, user_modules
from scheduler.settings.environment import load
from scheduler.settings.schema import Settings
from scheduler.up import announce, children, embedded, folder
from scheduler.up.child import Child
from scheduler.up.console import Console
from scheduler.up.first_start import FirstStart
from scheduler.up.interrupts import Interrupts
from scheduler.up.ports import listen
from scheduler.up.supervisor import Supervisor

log = logging.getLogger(__name__)

SHARED = ("redis_url", "redis_master", "broker_url", "result_backend", "database_url")
"""Settings taken from the running server by other commands in this folder."""


@click.command()
@click.option(
    "--adopt-history",
    is_flag=True,
    help="Make the database the history from now on, also where another one was recorded into.",
)
def up(adopt_history: bool) -> None:
    """Run the embedded server, recorder, worker, Beat and the console, until Ctrl-C."""
    settings = load(running_server=False)
    console = Console(names=settings.log_format == "text")
    configure(settings.log_level, settings.log_format, console.stream("up"))
    for collision in user_modules.collisions(Path.cwd()):
        log.warning("%s", collision)
    with Interrupts() as interrupts:
        lock = folder.take(settings.data_dir, interrupts)
        if lock is None:
            return
        try:
            _run(settings, console, interrupts, lock, adopts_history=adopt_history)
        finally:
            server_file.remove(settings.data_dir)
            os.close(lock)


def _run(
    settings: Settings, console: Console, interrupts: Interrupts, lock: int, *, adopts_history: bool
) -> None:
    """Start the children, announce the console's address, watch, and stop."""
    own = None if "redis_url" in settings.model_fields_set else embedded.prepare(settings.data_dir)
    if own is not None:
        settings = settings.model_copy(update={"redis_url": own.url})
    services = Services(settings)
    with listen(settings.web_host, settings.web_port) as listening:
        port: int = listening.getsockname()[1]
        web = announce.address(settings.web_host, port, settings.path_prefix)
        _tell_others(settings, web)
        first = FirstStart(services, adopts_history=adopts_history)
        supervisor = Supervisor(
            _children(services, own, first, listening),
            children.STOP_ORDER,
            interrupts,
            console,
            lock,
        )
        try:
            if supervisor.start():
                click.echo(announce.ready(web, first.admin(), settings.web_port, port))
                supervisor.watch()
        finally:
            if interrupts.count:
                log.info(
                    "%s: stopping; running jobs finish first (Ctrl-C again hurries them)",
                    interrupts.name,
                )
            supervisor.stop()


def _children(
    services: Services, own: embedded.Embedded | None, first: FirstStart, listening: socket.socket
) -> list[Child]:
    """Return the child processes, in the order of the start."""
    return [
        *([children.valkey(own)] if own else []),
        children.recorder(services, before=first.tables),
        children.worker(services),
        children.beat(services, before=first.examples),
        children.web(services, listening),
    ]


def _tell_others(settings: Settings, web: str) -> None:
    """Write the addresses of server and database for other commands in this folder."""
    shared = {name: value for name in SHARED if (value := getattr(settings, name))}
    data_dir: Path = settings.data_dir
    server_file.write(
        data_dir, server_file.RunningServer(pid=os.getpid(), web=web, settings=shared)
    )
