"""One's own second factors: the authenticator app and the recovery codes."""

import segno
from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose
from flask_login import current_user

from scheduler.accounts.second_factors import AuthenticatorSetup
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.access import SecondFactorAdded, SecondFactorRemoved
from webadmin.access.recording import record_by_visitor
from webadmin.guard import Guard, actor
from webadmin.refusals import at_field, shows_refusals
from webadmin.services import services

APP = "authenticator app"


class SecondFactorView(Guard, BaseView):
    """`/account/second-factor/`."""

    def is_visible(self) -> bool:
        """Hide the view from the menu; the account leads here."""
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the second factors of the account."""
        factors = services().second_factors
        return self.render(
            "people/second_factor/index.html",
            state=factors.state(current_user.id),
            is_protected=factors.is_protected(current_user.id),
        )

    @expose("/set-up", methods=["POST"])
    @shows_refusals("The authenticator app was not set up", to=".index")
    def set_up(self) -> ResponseReturnValue:
        """Show a new secret as a QR code and as text; it counts after its first code."""
        return self._set_up_page(services().second_factors.begin(actor()))

    @expose("/confirm", methods=["POST"])
    @shows_refusals("The authenticator app was not set up", to=".index")
    def confirm(self) -> ResponseReturnValue:
        """Store the secret if the code is right, and show recovery codes once. Sessions end."""
        factors = services().second_factors
        setup = factors.resume(actor(), request.form.get("sealed", ""))
        code = request.form.get("code", "")
        try:
            made = factors.confirm(actor(), setup.sealed, code, now=utc_now())
        except Refused as error:
            if error.field != "code":
                raise
            return self._set_up_page(setup, at_field(error, {"code": "code"}, "code")), 422
        record_by_visitor(SecondFactorAdded, actor(), APP)
        page = self.render("people/second_factor/codes.html", codes=made, must_log_in=True)
        session.clear()
        return page

    @expose("/remove", methods=["POST"])
    @shows_refusals("The authenticator app was not removed", to=".index")
    def remove(self) -> ResponseReturnValue:
        """Remove the authenticator app. All sessions end, this one too."""
        services().second_factors.remove_authenticator(actor())
        record_by_visitor(SecondFactorRemoved, actor(), APP)
        session.clear()
        flash("The authenticator app is removed. Log in again.", "success")
        return redirect(url_for("security.login"), 303)

    @expose("/recovery-codes", methods=["POST"])
    @shows_refusals("There are no new recovery codes", to=".index")
    def renew_codes(self) -> ResponseReturnValue:
        """Replace the recovery codes, and show the new ones once."""
        made = services().second_factors.renew_recovery_codes(actor())
        record_by_visitor(SecondFactorAdded, actor(), "recovery codes")
        return self.render("people/second_factor/codes.html", codes=made, must_log_in=False)

    def _set_up_page(self, setup: AuthenticatorSetup, errors: dict[str, str] | None = None) -> str:
        return self.render(
            "people/second_factor/set_up.html",
            setup=setup,
            qr_code=_qr_code(setup.address),
            errors=errors or {},
        )


def _qr_code(text: str) -> str:
    """Return a QR code as an SVG in a `data:` address: dark on white, in both themes."""
    return segno.make_qr(text, error="m").svg_data_uri(scale=4, border=4, light="#fff")
