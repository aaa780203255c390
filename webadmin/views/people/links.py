"""Links that set a password: shown to the administrator who made one, and mailed where mails work.

`/password/<text>` is open to whoever has the link. Looking at it changes nothing: mail programs
look at links, too.
"""

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scheduler.accounts.password_links import VALID_FOR, Link
from scheduler.accounts.policy import SHORTEST
from scheduler.accounts.secret_texts import make_text
from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError, NotFound, Refused
from scheduler.events.access import PasswordChanged
from scheduler.outgoing.letters import Letter
from scheduler.outgoing.mailing import send
from scheduler.rules.phrases import counted
from webadmin.access import rates
from webadmin.access.fresh import hash_slot
from webadmin.access.recording import record
from webadmin.forms.sentences import sentence
from webadmin.services import services

LONGEST_TEXT = 64

SUBJECTS = {
    "invitation": "Your account at Beatdesk",
    "reset": "A new password for Beatdesk",
}

links = Blueprint("password_links", __name__)


def install(app: Flask) -> None:
    """Register the page for whoever has a link."""
    app.register_blueprint(links)


@links.route("/password/<text>", methods=["GET", "POST"])
def use(text: str) -> ResponseReturnValue:
    """GET shows the form for the password; POST sets it and uses the link up.

    An unknown link is answered with 404, and counted like a wrong login.
    """
    if not services().settings.local_login:
        abort(403, "Passwords are switched off here (BEATDESK_LOCAL_LOGIN).")
    rates.refuse_excess(rates.LINKS)
    store = services().password_links
    now = utc_now()
    try:
        link = store.find(text[:LONGEST_TEXT], now)
        if request.method != "POST":
            return _page(link, None)
        password = request.form.get("password", "")
        if password != request.form.get("again", ""):
            return _page(link, "The two passwords differ."), 422
        with hash_slot():
            store.use(text[:LONGEST_TEXT], password, now=now)
    except NotFound as error:
        rates.count(rates.LINKS)
        abort(404, sentence(str(error)))
    except Refused as error:
        return _page(link, sentence(str(error))), 422
    record(PasswordChanged, actor=link.email, subject=link.email, detail=link.purpose)
    flash("Your password is set. Log in with it.", "success")
    return redirect(url_for("security.login"), 303)


def _page(link: Link, fault: str | None) -> str:
    return render_template("people/password_link.html", link=link, fault=fault, shortest=SHORTEST)


def address_of(link: Link) -> str:
    """Return the address of a link that was just made."""
    return url_for("password_links.use", text=link.text, _external=True)


def mail(link: Link) -> str | None:
    """Mail a link that was just made to its owner.

    Returns None for a mail that the server took, or the reason why there is none.
    """
    settings = services().settings
    if settings.smtp_url is None:
        return "mails are not set up for the console (BEATDESK_SMTP_URL)"
    days = VALID_FOR[link.purpose].days
    text = (
        f"Set your password for Beatdesk by this link:\n\n{address_of(link)}\n\n"
        f"It works once, for {counted(days, 'day')}. If you did not expect it, "
        "delete this mail.\n"
    )
    letter = Letter([link.email], SUBJECTS[link.purpose], text)
    try:
        send(settings, letter, run=make_text(), now=utc_now())
    except BeatdeskError as error:
        return str(error)
    return None
