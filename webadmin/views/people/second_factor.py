"""One's own second factors: the authenticator app, passkeys and the recovery codes."""

import segno
from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose
from flask_login import current_user

from scheduler.accounts.passkeys import LONGEST_NAME, Site, check_name, handle_of
from scheduler.accounts.second_factors import AuthenticatorSetup
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.access import SecondFactorAdded, SecondFactorRemoved
from webadmin.access.recording import record_by_visitor
from webadmin.guard import Guard, actor
from webadmin.refusals import at_field, shows_refusals
from webadmin.second_factor import challenges
from webadmin.services import passkeys, services

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
            passkeys=passkeys().of_account(current_user.id),
            longest_name=LONGEST_NAME,
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
        return self._leave_with(made)

    @expose("/remove", methods=["POST"])
    @shows_refusals("The authenticator app was not removed", to=".index")
    def remove(self) -> ResponseReturnValue:
        """Remove the authenticator app. All sessions end, this one too."""
        services().second_factors.remove_authenticator(actor())
        record_by_visitor(SecondFactorRemoved, actor(), APP)
        return _leave("The authenticator app is removed. Log in again.")

    @expose("/passkeys/new", methods=["POST"])
    @shows_refusals("The passkey was not added", to=".index")
    def new_passkey(self) -> ResponseReturnValue:
        """Show the page on which the browser makes a passkey."""
        challenge = challenges.make()
        options = passkeys().creation_options(actor(), _site(), challenge)
        challenges.remember("add", challenge, handle_of(options))
        return self.render(
            "people/second_factor/passkey.html",
            name=check_name(request.form.get("name", "")),
            options=options,
        )

    @expose("/passkeys", methods=["POST"])
    @shows_refusals("The passkey was not added", to=".index")
    def add_passkey(self) -> ResponseReturnValue:
        """Store a passkey that the browser has made. All sessions end, this one too.

        Shows recovery codes, once, where this is the first second factor.
        """
        made = challenges.take("add")
        if made is None:
            raise Refused("the passkey came too late, or twice; begin again")
        name = check_name(request.form.get("name", ""))
        codes = passkeys().add(
            actor(),
            name,
            request.form.get("answer", ""),
            handle=made.note,
            site=_site(),
            challenge=made.challenge,
            now=utc_now(),
        )
        record_by_visitor(SecondFactorAdded, actor(), f"passkey {name}")
        if codes:
            return self._leave_with(codes)
        return _leave("The passkey is added. Log in again.")

    @expose("/passkeys/remove", methods=["POST"])
    @shows_refusals("The passkey was not removed", to=".index")
    def remove_passkey(self) -> ResponseReturnValue:
        """Remove a passkey. All sessions end, this one too."""
        name = passkeys().remove(actor(), request.form.get("passkey", ""))
        record_by_visitor(SecondFactorRemoved, actor(), f"passkey {name}")
        return _leave("The passkey is removed. Log in again.")

    @expose("/recovery-codes", methods=["POST"])
    @shows_refusals("There are no new recovery codes", to=".index")
    def renew_codes(self) -> ResponseReturnValue:
        """Replace the recovery codes, and show the new ones once."""
        made = services().second_factors.renew_recovery_codes(actor())
        record_by_visitor(SecondFactorAdded, actor(), "recovery codes")
        return self.render("people/second_factor/codes.html", codes=made, must_log_in=False)

    def _leave_with(self, codes: list[str]) -> str:
        """End this browser's login with a page that shows recovery codes once."""
        page = self.render("people/second_factor/codes.html", codes=codes, must_log_in=True)
        session.clear()
        return page

    def _set_up_page(self, setup: AuthenticatorSetup, errors: dict[str, str] | None = None) -> str:
        return self.render(
            "people/second_factor/set_up.html",
            setup=setup,
            qr_code=_qr_code(setup.address),
            errors=errors or {},
        )


def _leave(text: str) -> ResponseReturnValue:
    """End this browser's login and lead to a new one."""
    session.clear()
    flash(text, "success")
    return redirect(url_for("security.login"), 303)


def _site() -> Site:
    """The site of the request. Raises Refused where it has no passkeys."""
    site = challenges.site()
    if site is None:
        raise Refused("passkeys need logins by password and a host with a name, not an address")
    return site


def _qr_code(text: str) -> str:
    """Return a QR code as an SVG in a `data:` address: dark on white, in both themes."""
    return segno.make_qr(text, error="m").svg_data_uri(scale=4, border=4, light="#fff")
