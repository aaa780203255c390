"""One's own account: password, zone, sessions, tokens."""

from flask import abort, flash, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose
from flask_login import current_user, logout_user

from scheduler.accounts.policy import ROLE_WORDS, SHORTEST
from scheduler.accounts.rights import ROLE_OF_SCOPE, SCOPES
from scheduler.accounts.secret_texts import digest_of
from scheduler.accounts.tokens import MOST_DAYS, USUAL_DAYS, NewToken
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.access import (
    PasswordChanged,
    SessionsEnded,
    TokenCreated,
    TokenRevoked,
)
from scheduler.rules.time.zones import zone_names
from webadmin.access import by_tag, rates
from webadmin.access.fresh import hash_slot
from webadmin.access.recording import record_by_visitor
from webadmin.form_values import whole_number
from webadmin.guard import Guard, actor
from webadmin.refusals import at_field, shows_refusals
from webadmin.services import services

TOKEN_FIELDS = {"name": "name", "scope": "scope", "tag": "tag", "days": "days"}


class AccountView(Guard, BaseView):
    """`/account/`."""

    def is_visible(self) -> bool:
        """Hide the view from the menu; the visitor's name leads here."""
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the account."""
        return self._page()

    @expose("/whoami")
    def whoami(self) -> ResponseReturnValue:
        """Answer who calls, in JSON, for programs with a token."""
        rights = by_tag.current_rights()
        return jsonify(actor=actor(), role=rights.role, tags=dict(rights.tags))

    @expose("/password", methods=["POST"])
    def set_password(self) -> ResponseReturnValue:
        """Replace the password; all sessions end, and the visitor logs in again."""
        if not services().settings.local_login:
            abort(403, "Passwords are switched off here (BEATDESK_LOCAL_LOGIN).")
        rates.refuse_excess(rates.PASSWORDS, actor())
        new = request.form.get("new", "")
        try:
            if new != request.form.get("again", ""):
                raise Refused("again: the two new passwords differ", field="again")
            with hash_slot():
                services().accounts.change_password(actor(), request.form.get("current", ""), new)
        except Refused as error:
            if error.field == "current":
                rates.count(rates.PASSWORDS, actor())
            fields = {"current": "current", "password": "new", "again": "again"}
            return self._page(errors=at_field(error, fields, "new")), 422
        record_by_visitor(PasswordChanged, actor())
        flash("Your password is changed. Log in with the new one.", "success")
        return _leave()

    @expose("/zone", methods=["POST"])
    @shows_refusals("The zone was not changed", to=".index")
    def set_zone(self) -> ResponseReturnValue:
        """Set the zone of the console's times."""
        name = request.form.get("timezone", "").strip()
        services().accounts.set_timezone(actor(), name or None)
        flash(f"Times are shown in {name or 'the zone of the browser'}.", "success")
        return redirect(url_for(".index"), 303)

    @expose("/sessions/end", methods=["POST"])
    @shows_refusals("The session was not ended", to=".index")
    def end_session(self) -> ResponseReturnValue:
        """End one session of the account."""
        services().sessions.end(request.form.get("session", ""), current_user.id)
        record_by_visitor(SessionsEnded, actor(), "one session")
        flash("The session is ended.", "success")
        return redirect(url_for(".index"), 303)

    @expose("/sign-out", methods=["POST"])
    def sign_out(self) -> ResponseReturnValue:
        """End all sessions of the account, this one too."""
        services().accounts.sign_out(actor())
        record_by_visitor(SessionsEnded, actor())
        flash("You are signed out everywhere.", "success")
        return _leave()

    @expose("/tokens", methods=["POST"])
    def create_token(self) -> ResponseReturnValue:
        """Make a token of one's own, and show it once."""
        try:
            token = typed_token(owner=actor())
        except Refused as error:
            return self._page(token_errors=at_field(error, TOKEN_FIELDS, "name")), 422
        return self.render("people/token.html", token=token)

    @expose("/tokens/revoke", methods=["POST"])
    @shows_refusals("The token was not revoked", to=".index")
    def revoke_token(self) -> ResponseReturnValue:
        """Revoke a token of one's own."""
        token = services().tokens.revoke(token_number(), owner=actor(), now=utc_now())
        record_by_visitor(TokenRevoked, token.name)
        flash(f"The token {token.name} works no more.", "success")
        return redirect(url_for(".index"), 303)

    def _page(
        self, *, errors: dict[str, str] | None = None, token_errors: dict[str, str] | None = None
    ) -> str:
        now = utc_now()
        rights = by_tag.current_rights()
        return self.render(
            "people/account.html",
            account=services().accounts.get(actor()),
            role_words=ROLE_WORDS,
            zones=zone_names(),
            errors=errors or {},
            token_errors=token_errors or {},
            shortest=SHORTEST,
            is_protected=services().second_factors.is_protected(current_user.id),
            sessions=services().sessions.list(current_user.id, now),
            own_session=digest_of(str(session.get("session", ""))),
            tokens=services().tokens.list(actor()),
            scopes=[
                scope
                for scope in SCOPES
                if rights.covers(ROLE_OF_SCOPE[scope]) or rights.covers_by_tag(ROLE_OF_SCOPE[scope])
            ],
            days=USUAL_DAYS,
            most_days=MOST_DAYS,
        )


def typed_token(*, owner: str | None) -> NewToken:
    """Make the token of the sent form, for an account or for a service. Raises Refused."""
    days = whole_number(request.form.get("days", str(USUAL_DAYS)))
    if days is None:
        raise Refused(f"days: write a whole number from 1 to {MOST_DAYS}", field="days")
    token = services().tokens.create(
        request.form.get("name", "").strip(),
        request.form.get("scope", ""),
        owner=owner,
        by=actor(),
        now=utc_now(),
        tag=request.form.get("tag", "").strip() or None,
        days=days,
    )
    record_by_visitor(TokenCreated, token.name, token.summary)
    return token


def token_number() -> int:
    """Return the number of the token in the form. Raises Refused for another text."""
    number = whole_number(request.form.get("token", "")[:9])
    if number is None:
        raise Refused("token: this is not the number of a token", field="token")
    return number


def _leave() -> ResponseReturnValue:
    """Log this browser out and lead to the login."""
    logout_user()
    session.pop("session", None)
    return redirect(url_for("security.login"), 303)
