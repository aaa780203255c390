"""The screens, in the order of the menu.

A new screen needs a module, a line in `screens` and rows in `guard`.
"""

from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask_admin import Admin, BaseView
from flask_admin.theme import Theme

from webadmin.security import csp_nonce

ICONS = "sprite"


def screens() -> Iterator[tuple[type[BaseView], dict[str, Any]]]:
    """Yield each view's class with Flask-Admin's options.

    `menu_icon_value` names a symbol of the icon sprite.
    """
    from webadmin.views.calendars import CalendarsView
    from webadmin.views.changes import ChangesView
    from webadmin.views.dead_letters import DeadLettersView
    from webadmin.views.help import HelpView
    from webadmin.views.jobs import JobsView
    from webadmin.views.reports import ReportsView
    from webadmin.views.runs import RunsView
    from webadmin.views.schedules import SchedulesView

    yield (
        SchedulesView,
        {"name": "Schedules", "endpoint": "schedules", "menu_icon_value": "calendar-time"},
    )
    yield (
        CalendarsView,
        {"name": "Calendars", "endpoint": "calendars", "menu_icon_value": "calendar-off"},
    )
    yield RunsView, {"name": "Runs", "endpoint": "runs", "menu_icon_value": "history"}
    yield JobsView, {"name": "Jobs", "endpoint": "jobs", "menu_icon_value": "briefcase"}
    yield (
        ReportsView,
        {"name": "Reports", "endpoint": "reports", "menu_icon_value": "report-analytics"},
    )
    yield ChangesView, {"name": "Changes", "endpoint": "changes", "menu_icon_value": "git-commit"}
    yield (
        DeadLettersView,
        {"name": "Dead letters", "endpoint": "dead_letters", "url": "/dead-letters/"},
    )
    yield from _screens_about_people()
    yield HelpView, {"name": "Help", "endpoint": "help", "menu_icon_value": "help-circle"}


def _screens_about_people() -> Iterator[tuple[type[BaseView], dict[str, Any]]]:
    from webadmin.audit.view import AccessLogView
    from webadmin.views.people.account import AccountView
    from webadmin.views.people.second_factor import SecondFactorView
    from webadmin.views.people.tokens import TokensView
    from webadmin.views.people.users import UsersView

    yield UsersView, {"name": "Users", "endpoint": "users", "menu_icon_value": "users"}
    yield TokensView, {"name": "Tokens", "endpoint": "tokens"}
    yield AccountView, {"name": "Your account", "endpoint": "account"}
    yield (
        SecondFactorView,
        {"name": "Second factor", "endpoint": "second_factor", "url": "/account/second-factor/"},
    )
    yield (
        AccessLogView,
        {
            "name": "Access log",
            "endpoint": "audit",
            "url": "/access-log/",
            "menu_icon_value": "lock",
        },
    )


def install(app: Flask) -> None:
    """Mount Flask-Admin at the root of the app, with the overview as the first page."""
    from webadmin.views import home
    from webadmin.views.people import links, passkey_login, second_step

    home.install(app)
    links.install(app)
    second_step.install(app)
    passkey_login.install(app)
    first = home.HomeView(
        name="Overview", endpoint="home", url="/", menu_icon_type=ICONS, menu_icon_value="home"
    )
    admin = Admin(
        app,
        name="Beatdesk",
        url="/",
        endpoint="home",
        index_view=first,
        # Without a separate path, the first view would also serve Flask-Admin's Bootstrap 4 files.
        static_url_path="/static/admin",
        theme=Theme(folder="bootstrap4", base_template="layout.html"),
        csp_nonce_generator=csp_nonce,
    )
    for view, options in screens():
        admin.add_view(view(menu_icon_type=ICONS, **options))
