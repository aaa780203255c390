"""Every address of the console, derived from its map of addresses: a new page is in all lists of
tests by itself.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from flask import Flask
from werkzeug.routing import Rule

Samples = Mapping[str, Mapping[str, str]]
"""For a room (`schedules`) or an endpoint (`schedules.restore`): what the parameters of its
addresses stand for.
"""

SAMPLES: Samples = {
    "calendars": {"name": "sample"},
    "dead_letters": {"id": "5-0"},
    "help": {"name": "reference/settings"},
    "jobs": {"name": "mail.digest"},
    "reports": {"id": "sample-report"},
    "runs": {"id": "sample-run"},
    "schedules": {"name": "sample"},
    "schedules.adopt": {"name": "sample-plain"},
    "schedules.backfill": {"name": "sample", "since": "7d"},
    "schedules.reset": {"name": "sample-static"},
    "schedules.restore": {"name": "sample", "number": "1"},
    "schedules.resume": {"name": "sample-paused"},
    "schedules.revive": {"name": "sample-gone"},
    "password_links": {"text": "not-a-link"},
    "users": {"email": "viewer@example.org"},
    "users.show": {"email": "admin@example.org"},
    "starter": {"id": "sample-task"},
    "static": {"filename": "app/desk.css"},
}
"""What an endpoint's row has beyond the parameters of its address goes into the query.

`tests.support.webadmin.samples` makes the things that are named here.
"""

NO_PAGE = {
    "home.health": "a part of every page",
    "home.live": "a part of the overview",
    "account.whoami": "for programs",
    "password_links.use": "only for whoever has a link",
    "probes.healthz": "for machines",
    "probes.readyz": "for machines",
    "reports.download": "a file",
    "reports.show": "the report itself",
    "single_sign_on.back": "leads on who has logged in",
    "single_sign_on.begin": "leads to the provider",
    "schedules.arguments": "a part of the editor",
    "schedules.export": "a file",
    "second_step.show": "leads back who has given no password",
    "security.login": "leads on who has logged in",
    "security.verify": "closed to everyone",
    "starter.task_status": "for machines",
    "static": "a file",
}
"""Endpoints that answer GET with something else than a page of its own, and with what."""

ENDS_SESSION = {"security.logout": "/logout", "account.sign_out": "/account/sign-out"}
"""Endpoints that end the caller's session, with their addresses."""


class Call(NamedTuple):
    """Something that can be called."""

    endpoint: str
    method: str
    path: str


def rules(app: Flask) -> list[Rule]:
    """Every rule of the map."""
    return list(app.url_map.iter_rules())


def calls(app: Flask, samples: Samples = SAMPLES) -> Iterator[Call]:
    """Everything that can be called, but for what ends the caller's session."""
    for rule in rules(app):
        if rule.endpoint not in ENDS_SESSION:
            for method in sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}):
                yield Call(rule.endpoint, method, path_of(app, rule, samples))


def pages(app: Flask, samples: Samples = SAMPLES) -> dict[str, str]:
    """Endpoint and address of every page of its own, in the order of addresses."""
    found = {
        call.endpoint: call.path
        for call in calls(app, samples)
        if call.method == "GET" and call.endpoint not in NO_PAGE
    }
    return dict(sorted(found.items(), key=lambda page: page[1]))


def path_of(app: Flask, rule: Rule, samples: Samples = SAMPLES) -> str:
    """The address of a rule. Raises LookupError where a parameter of it has no sample."""
    room = samples.get(rule.endpoint.partition(".")[0], {})
    values = {name: value for name, value in room.items() if name in rule.arguments}
    values |= samples.get(rule.endpoint, {})
    lacking = sorted(rule.arguments - values.keys())
    if lacking:
        raise LookupError(
            f"{rule.rule} ({rule.endpoint}) has no sample value for {', '.join(lacking)}; add a "
            "row to SAMPLES in tests/support/webadmin/addresses.py"
        )
    path: str = app.url_map.bind("localhost").build(rule.endpoint, values)
    return path
