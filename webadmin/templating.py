"""Filters and globals of every template.

Time, health, menu, the visitor's preferences, and addresses of static files.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, request, url_for
from markupsafe import Markup, escape

from scheduler.catalogue.call_check import positional_names
from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.events.bounds import masked_text
from scheduler.rules.model.run_states import RunGroup, RunState
from scheduler.rules.phrases import plural
from scheduler.rules.policies.window import is_overdue
from webadmin import (
    guard,
    health,
    preferences,
    present,
    repairs,
)
from webadmin.front.addresses import requested_address
from webadmin.help.addresses import help_url
from webadmin.security import csp_nonce
from webadmin.services import services

PART_NAMES = {
    "beat": "Beat",
    "workers": "Workers",
    "recorder": "Recorder",
    "redis": "Redis",
    "sql": "Database",
}


def install(app: Flask) -> None:
    """Add the filters and globals. Jinja refuses a misspelt name only at a call."""
    health.install(app)
    preferences.install(app)
    app.jinja_env.filters.update(
        absolute=present.absolute,
        iso=present.iso,
        duration=present.duration,
        relative=lambda moment: present.relative(moment, utc_now()),
        due=lambda moment: present.due(moment, utc_now()),
        count=present.count,
        share=present.share,
        plural=plural,
        size=present.size,
        pretty=present.pretty,
        arguments_of=arguments_of,
        coded=coded,
        unwrapped=present.unwrapped,
    )
    app.jinja_env.globals.update(
        csp_nonce=csp_nonce,
        may=guard.may,
        state_look=present.state_look,
        state_words=present.state_words,
        RunState=RunState,
        RunGroup=RunGroup,
        is_overdue=lambda moment: is_overdue(moment, utc_now()),
        beat_leads=health.beat_leads,
        asset=asset,
        masked_text=masked_text,
        part_name=lambda part: PART_NAMES.get(part.name, part.name),
        triggers=present.TRIGGERS,
        chosen=preferences.chosen,
        health=health.current,
        visible=health.visible,
        causes=health.causes,
        everything_paused=health.everything_paused,
        heals=repairs.heals,
        here=here,
        with_query=with_query,
        menu=menu,
        help_url=help_url,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(lambda: {"now": utc_now()})


def coded(text: str) -> Markup:
    """Return the escaped text, with code elements for the parts between back quotes."""
    pieces = [escape(piece) for piece in text.split("`")]
    if len(pieces) % 2 == 0:  # an unpaired back quote stays literal
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )


def arguments_of(args: list[Any], job: str | None) -> str:
    """Return positional arguments as JSON, secrets masked by the names of the job's parameters.

    Without Redis, or for a job that no worker has offered, only secrets with a form of their own
    are masked.
    """
    try:
        offered = services().catalogue.get(job) if job else None
    except Unavailable:
        offered = None
    return present.pretty_arguments(args, [] if offered is None else positional_names(offered))


def asset(path: str) -> str:
    """Return the address of a static file with a part of its digest.

    Browsers cache the file for a year; a changed file has a new address.
    """
    return _address(path, Path(str(current_app.static_folder)), request.script_root)


@cache
def _address(path: str, folder: Path, script_root: str) -> str:
    """Return the address of a static file, cached per file and mount point.

    A long list needs hundreds of icons.
    """
    return url_for(
        "static", filename=path, v=hashlib.sha256((folder / path).read_bytes()).hexdigest()[:10]
    )


def menu() -> list[Any]:
    """Return the visible items of Flask-Admin's menu that the user may open."""
    admin = current_app.extensions["admin"][0]
    return [item for item in admin.menu() if item.is_visible() and item.is_accessible()]


def here() -> str:
    """Return the path and query of the current page."""
    return requested_address()


def with_query(**changes: str | None) -> str:
    """Return the page's address with some parameters changed; None removes a parameter."""
    query = {name: value for name, value in request.args.items() if name not in changes and value}
    query.update({name: value for name, value in changes.items() if value is not None})
    # As arguments of url_for, names such as `_method` or `endpoint` would mean something else.
    path = url_for(str(request.endpoint), **(request.view_args or {}))
    return f"{path}?{urlencode(query)}" if query else path
