"""The console: Flask-Admin at the rim, own templates. It reads jobs from the catalogue and never
imports their code.

`create_app` is the root of the web process: the only place where the console's parts are put
together, in the order in which a request meets them.

    security      cookies, size limits, headers on every answer
    guard         who may call which endpoint; no row, no entry
    auth          login and logout, sessions that end when they should
    tutorial_api  start a job, ask for its state, sign up: the tutorial's endpoints, for anyone
    limits        wrong logins per address and per account; calls of what anyone may call
    templating    what every template knows: time, health, menu, the nonce
    errors        every refusal and every outage as a page that says what to do
    views/        the screens
"""

import logging

from flask import Flask

from scheduler.health.doctor import refuse_eviction
from scheduler.services.services import Services
from scheduler.settings.schema import Settings

log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> Flask:
    """The console as a WSGI application. Without settings they are read from the environment."""
    from webadmin import (
        auth,
        errors,
        guard,
        limits,
        probes,
        security,
        templating,
        tutorial_api,
        views,
    )

    if settings is None:
        from scheduler.settings.environment import load

        settings = load()
    app = Flask(__name__)
    app.extensions["services"] = Services(settings, remembers=True)
    refuse_eviction(app.extensions["services"])
    security.install(app, settings)
    guard.install(app)
    auth.install(app)
    tutorial_api.install(app, settings)
    limits.install(app, settings)
    templating.install(app)
    errors.install(app)
    probes.install(app)
    views.install(app)
    return app
