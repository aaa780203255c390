"""All tokens, for administrators, who also make those of services."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.accounts.rights import SCOPES
from scheduler.accounts.tokens import MOST_DAYS, USUAL_DAYS
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.access import TokenRevoked
from webadmin.access.recording import record_by_visitor
from webadmin.guard import Guard
from webadmin.refusals import at_field, shows_refusals
from webadmin.services import services
from webadmin.views.people.account import TOKEN_FIELDS, token_number, typed_token


class TokensView(Guard, BaseView):
    """`/tokens/`, for administrators."""

    def is_visible(self) -> bool:
        """Hide the view from the menu; the page of users leads here."""
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show all tokens."""
        return self._page({})

    @expose("/new", methods=["POST"])
    def create(self) -> ResponseReturnValue:
        """Make a token for a service, and show it once."""
        try:
            token = typed_token(owner=None)
        except Refused as error:
            return self._page(at_field(error, TOKEN_FIELDS, "name")), 422
        return self.render("people/token.html", token=token)

    @expose("/revoke", methods=["POST"])
    @shows_refusals("The token was not revoked", to=".index")
    def revoke(self) -> ResponseReturnValue:
        """Revoke any token."""
        token = services().tokens.revoke(token_number(), now=utc_now())
        record_by_visitor(TokenRevoked, token.name, token.owner or "a service")
        flash(f"The token {token.name} works no more.", "success")
        return redirect(url_for(".index"), 303)

    def _page(self, token_errors: dict[str, str]) -> str:
        return self.render(
            "people/tokens.html",
            tokens=services().tokens.list(),
            token_errors=token_errors,
            scopes=SCOPES,
            days=USUAL_DAYS,
            most_days=MOST_DAYS,
        )
