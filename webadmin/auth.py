"""Login and logout: Flask-Security over Beatdesk's own tables, with a plain SQLAlchemy session.

Accounts are made by administrators; the console has no registration and no password recovery by
mail. A logout changes `fs_uniquifier`, so that a copied cookie ends with the original session.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, abort, current_app, request, url_for
from flask import session as cookie
from flask_login import user_logged_out
from flask_security import LoginForm as StockLoginForm
from flask_security import RoleMixin, Security, SQLAlchemySessionUserDatastore, UserMixin
from flask_security.signals import user_authenticated
from flask_security.utils import set_request_attr
from flask_wtf import FlaskForm
from sqlalchemy import Engine
from sqlalchemy.orm import Session, registry, relationship, scoped_session, sessionmaker
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired, Length

from scheduler.accounts.policy import LONGEST, Role, as_stored
from scheduler.accounts.rights import Rights
from scheduler.accounts.store import rights_of
from scheduler.clock import utc_now
from scheduler.events.access import LoggedIn, LoggedOut
from scheduler.history import account_models as models
from scheduler.history.table_registry import Base
from webadmin.access import fresh
from webadmin.access.recording import record
from webadmin.guard import safe_path
from webadmin.limits import hash_slots
from webadmin.limits.login import judge_login
from webadmin.second_factor import step
from webadmin.services import services


class AccountRole(RoleMixin):
    """A row of `roles`, in the shape that Flask-Security expects."""


class AccountTagRight:
    """A row of `tag_rights`."""

    tag: str
    role: Role


class Account(UserMixin):
    """A row of `users`, in the shape that Flask-Security expects.

    The engine's models stay free of Flask, hence the separate mapping.
    """

    tag_rights: list[AccountTagRight]

    @property
    def rights(self) -> Rights:
        """The rights of the account."""
        return rights_of(self)


_mapping = registry(metadata=Base.metadata)
_mapping.map_imperatively(AccountRole, models.Role.__table__)
_mapping.map_imperatively(AccountTagRight, models.TagRight.__table__)
_mapping.map_imperatively(
    Account,
    models.User.__table__,
    properties={
        "roles": relationship(
            AccountRole, secondary=models.UserRole.__table__, lazy="selectin", viewonly=True
        ),
        "tag_rights": relationship(AccountTagRight, lazy="selectin", viewonly=True),
    },
)


class LoginForm(StockLoginForm):
    """Address and password.

    Any name may serve as an address; the stock form would refuse `admin@beatdesk.local`.
    """

    email = StringField(  # type: ignore[assignment] # a mail field in the stock form
        filters=[lambda text: as_stored(text or "")],
        validators=[DataRequired(), Length(max=LONGEST)],
    )
    password = PasswordField(validators=[DataRequired(), Length(max=LONGEST)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not safe_path(self.next.data or ""):
            self.next.data = ""  # the stock form would refuse the login without a reason

    def validate(self, **options: Any) -> bool:
        """Whether address and password are right. Raises TooManyLogins for one that has to wait.

        What is not a login, such as an empty password, is refused before anything is counted or
        hashed. Forms and JSON come here alike.
        """
        if not FlaskForm.validate(self, **options):
            return False
        account = str(self.email.data)
        return judge_login(
            account,
            lambda: self._judge(options),
            self._reason,
            self._is_complete,
        )

    def _judge(self, options: dict[str, Any]) -> bool:
        with hash_slots(current_app).slot():
            return bool(super().validate(**options))

    def _is_complete(self) -> bool:
        """Whether the right password is enough for the login."""
        return self.user is not None and not services().second_factors.is_protected(self.user.id)

    def _reason(self) -> str:
        """Why the login was refused, as a word for the log; the visitor is not told."""
        if self.user is None:
            return "unknown_account"
        return "disabled" if self.user_authenticated else "wrong_password"


def refuse_passwords() -> None:
    """Abort a login by password with 403 where the settings switch passwords off."""
    if request.method == "POST" and not services().settings.local_login:
        abort(403, "Passwords are switched off here (BEATDESK_LOCAL_LOGIN).")


class DeskSession(Session):
    """A session on the engine of this process, bound at the first query: startup needs no SQL."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine:
        """Return the SQLAlchemy engine of this process."""
        return services().engine


SETTINGS: dict[str, Any] = {
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_SCHEMES": ["argon2"],
    "SECURITY_PASSWORD_SINGLE_HASH": {"argon2"},
    "SECURITY_DEPRECATED_PASSWORD_SCHEMES": [],
    "SECURITY_PASSWORD_NORMALIZE_FORM": None,
    "SECURITY_REGISTERABLE": False,
    "SECURITY_RECOVERABLE": False,
    "SECURITY_CHANGEABLE": False,
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
    "SECURITY_LOGOUT_METHODS": ["POST"],
    "SECURITY_POST_LOGIN_VIEW": "home.index",
    "SECURITY_POST_LOGOUT_VIEW": "security.login",
    "SECURITY_API_ENABLED_METHODS": ["session"],
    "SECURITY_STATIC_FOLDER": None,
    "SECURITY_FLASH_MESSAGES": False,
    "SECURITY_USER_IDENTITY_ATTRIBUTES": [
        {"email": {"mapper": lambda text: text, "case_insensitive": True}}
    ],
    "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "test_environment": True},
    "SECURITY_MSG_GENERIC_AUTHN_FAILED": ("The address or the password is wrong.", "error"),
    "SECURITY_EMAIL_PLAINTEXT": False,
    "SECURITY_EMAIL_HTML": False,
    "REMEMBER_COOKIE_HTTPONLY": True,
    "REMEMBER_COOKIE_SAMESITE": "Lax",
}


def install(app: Flask) -> None:
    """Install Flask-Security and end the request's database session after each request."""
    app.config.update(SETTINGS, REMEMBER_COOKIE_SECURE=app.config["SESSION_COOKIE_SECURE"])
    sessions = scoped_session(sessionmaker(class_=DeskSession))
    app.extensions["sessions"] = sessions
    Security(
        app, SQLAlchemySessionUserDatastore(sessions, Account, AccountRole), login_form=LoginForm
    )
    step.install(app)
    login_manager: Any = app.login_manager  # type: ignore[attr-defined]
    login_manager.request_loader(no_tokens)
    login_manager.user_loader(load_user)
    app.teardown_appcontext(lambda error: sessions.remove())
    user_authenticated.connect(start_afresh, app)
    user_logged_out.connect(end_all_sessions, app)
    app.view_functions["security.login"] = stay_here(app.view_functions["security.login"])


def no_tokens(request: Any) -> None:
    """Refuse every token in a header or an address.

    Flask-Security's own request loader would allow a login by token.
    """


def start_afresh(app: Flask, user: Account, **facts: Any) -> None:
    """Drop the session's contents from before the login, the CSRF token included, and open a
    session of the account.
    """
    for name in set(cookie) - {"_user_id", "_fresh", "_id", "fs_paa"}:
        cookie.pop(name)
    methods = [*(facts.get("authn_via") or ["password"]), *step.proofs()]
    record(LoggedIn, actor=user.email, subject=user.email, detail=", ".join(methods))
    now = utc_now()
    cookie["session"] = services().sessions.open(
        user.id,
        method=str(methods[0]),
        address=request.remote_addr or "",
        browser=request.user_agent.string,
        now=now,
    )
    services().accounts.note_login(user.id, now)
    fresh.mark_fresh()


def load_user(user_id: str) -> Account | None:
    """Return the account of a cookie's session; None where the session has ended.

    A cookie names the account's uniquifier and a session of it, and ends with either.
    """
    datastore = current_app.extensions["security"].datastore
    user: Account | None = datastore.find_user(fs_uniquifier=str(user_id))
    text = cookie.get("session")
    if user is None or not user.active or not isinstance(text, str):
        return None
    if not services().sessions.is_open(text, user.id, utc_now()):
        return None
    set_request_attr("fs_authn_via", "session")
    set_request_attr("fs_paa", cookie.get("fs_paa", 0))
    return user


def end_all_sessions(app: Flask, user: Account, **facts: Any) -> None:
    """End every session of the account, copied cookies included."""
    record(LoggedOut, actor=user.email, subject=user.email)
    services().accounts.sign_out(user.email)


def stay_here(login: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the login view: redirects stay on the console, for every value of `next`."""

    @wraps(login)
    def login_here(*args: Any, **kwargs: Any) -> Response:
        refuse_passwords()
        response = current_app.make_response(login(*args, **kwargs))
        if response.location in {None, url_for("second_step.show")}:
            return response
        if not all(map(safe_path, [str(response.location), *redirect_targets()])):
            response.location = url_for("home.index")
        return response

    return login_here


def redirect_targets() -> list[str]:
    """Return the redirect targets in the address and in the form, which anyone may have written."""
    return [target for target in (request.args.get("next"), request.form.get("next")) if target]
