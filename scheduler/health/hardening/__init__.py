"""Hardening: what protects an installation from other users, other hosts and guessing.

`beatdesk doctor --hardening` prints these parts, and what the built-in jobs add. A part that is not
well names the remedy. Reads only.

    machine   the user of the processes, modes of files
    servers   password, login and TLS of Redis, broker and SQL
    console   environment, secret key, hosts, proxies
"""

from scheduler.health.hardening import console, machine, servers
from scheduler.health.status import Part
from scheduler.services.services import Services


def check_all(services: Services) -> list[Part]:
    """Return every part, from the machine to what strangers reach."""
    settings = services.settings
    return [
        machine.user(),
        machine.files(settings),
        *servers.redis(services),
        *servers.broker(settings),
        *servers.sql(services),
        console.environment(settings),
        console.secret_key(settings),
        console.hosts(settings),
        console.proxies(settings),
    ]
