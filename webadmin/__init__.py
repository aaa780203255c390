"""The console: Flask-Admin at the rim, own templates. It reads jobs from the catalogue and never
imports their code.

`create_app` is the root of the web process and the only place where the parts are put together, in
the order in which a request meets them.

    sockets       the server: a gunicorn worker that no slow client can hold up
    front         hosts, proxies, methods and lengths: what a request passes before any page
    budgets       what one request may cost: wall and processor time, waiting for servers
    security      cookies, size limits, headers on every answer
    guard         the least role for each endpoint; an endpoint without a row is closed
    access        tokens, rights by tag, fresh logins, people whom somebody else logs in
    auth          login, logout and the end of sessions
    tutorial_api  the tutorial's open endpoints: start a job, read a job's state, sign up
    counting      counts of wrong secrets, in Redis or in this process
    limits        delays after wrong logins, few hashes at once, rates of open endpoints
    templating    globals of every template: time, health, menu, nonce
    errors        every refusal and every outage as a page with a remedy
    audit         the access log: its page, and what each endpoint records
    views/        the other screens
"""

import logging

from flask import Flask

from scheduler.health.doctor import refuse_eviction
from scheduler.history.connecting import FOR_PAGES
from scheduler.process_logs import mask_handlers
from scheduler.services.services import Services
from scheduler.settings.schema import Settings

log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the console as a WSGI application.

    `settings` is read from the environment by default. Raises BadSettings with every fault.
    """
    from webadmin import (
        auth,
        budgets,
        errors,
        front,
        guard,
        limits,
        probes,
        security,
        templating,
        tutorial_api,
        views,
    )
    from webadmin.access import by_tag
    from webadmin.front import lengths
    from webadmin.sockets import trust
    from webadmin.views.people import single_sign_on

    settings = settings or _from_environment()
    trust.distrust_headers()
    for logger in ("gunicorn.error", "gunicorn.access"):  # they have handlers of their own
        mask_handlers(logger)
    app = Flask(__name__)
    app.extensions["services"] = Services(
        settings, remembers=True, check_change=by_tag.check_change, sql_limits=FOR_PAGES
    )
    refuse_eviction(app.extensions["services"])
    budgets.install(app)
    lengths.install(app)
    security.install(app, settings)
    guard.install(app)
    auth.install(app)
    single_sign_on.install(app, settings)
    tutorial_api.install(app, settings)
    limits.install(app, settings)
    templating.install(app)
    errors.install(app)
    probes.install(app)
    views.install(app)
    front.install(app, settings)
    return app


def _from_environment() -> Settings:
    """Return the settings of a process that a server has started, and set up its files and logs."""
    from scheduler.process_logs import configure
    from scheduler.settings.environment import load
    from scheduler.settings.private_files import set_umask

    set_umask()
    settings = load()
    if not logging.getLogger().handlers:
        configure(settings.log_level, settings.log_format)
    return settings
