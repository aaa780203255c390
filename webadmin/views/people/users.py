"""The accounts, for administrators: list, invitation, and one page for each account."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.accounts.password_links import Link
from scheduler.accounts.policy import ROLE_WORDS, ROLES, Account
from scheduler.accounts.rights import TAG_ROLES
from scheduler.accounts.store import Accounts
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.access import (
    AccessEvent,
    AccountDisabled,
    AccountEnabled,
    AccountInvited,
    PasswordChanged,
    RoleChanged,
    SecondFactorReset,
    SessionsEnded,
    role_for_tag,
)
from webadmin.access.recording import record_by_visitor
from webadmin.guard import Guard, actor
from webadmin.refusals import at_field, shows_refusals
from webadmin.services import services
from webadmin.views.people.links import address_of, mail

NOT_CHANGED = "{email} was not changed"


def _accounts() -> Accounts:
    return services().accounts


def _done(
    kind: type[AccessEvent], account: Account, text: str, detail: str = ""
) -> ResponseReturnValue:
    """Record the change, say what is done, and lead back to the account."""
    record_by_visitor(kind, account.email, detail)
    flash(f"{account.email} {text}", "success")
    return redirect(url_for("users.show", email=account.email), 303)


class UsersView(Guard, BaseView):
    """`/users/`, for administrators."""

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Show the accounts."""
        return self.render(
            "people/users.html",
            accounts=_accounts().list(),
            waiting=services().password_links.waiting(),
            protected=services().second_factors.protected(),
            role_words=ROLE_WORDS,
        )

    @expose("/invite", methods=["GET", "POST"])
    def invite(self) -> ResponseReturnValue:
        """GET shows the form; POST adds the account and shows the link for its owner, once."""
        email = request.form.get("email", "")
        role = request.form.get("role", "viewer")
        errors: dict[str, str] = {}
        if request.method == "POST":
            try:
                link = services().password_links.invite(email, role, by=actor(), now=utc_now())
            except Refused as error:
                errors = at_field(error, {"email": "email", "role": "role"}, "email")
            else:
                record_by_visitor(AccountInvited, link.email, role)
                return self._link_page(link)
        page = self.render(
            "people/invite.html",
            email=email,
            role=role,
            errors=errors,
            roles=ROLES,
            role_words=ROLE_WORDS,
        )
        return page, 422 if errors else 200

    @expose("/<path:email>/")
    def show(self, email: str) -> ResponseReturnValue:
        """Show one account, with what can be changed."""
        account = _accounts().get(email)
        return self.render(
            "people/user.html",
            account=account,
            waiting=services().password_links.waiting().get(account.email),
            tokens=services().tokens.list(account.email),
            is_protected=account.email in services().second_factors.protected(),
            roles=ROLES,
            tag_roles=TAG_ROLES,
            role_words=ROLE_WORDS,
        )

    @expose("/<path:email>/role", methods=["POST"])
    @shows_refusals(NOT_CHANGED, to=".show")
    def set_role(self, email: str) -> ResponseReturnValue:
        """Replace the role. The account's sessions end."""
        account = _accounts().set_role(email, request.form.get("role", ""))
        return _done(
            RoleChanged,
            account,
            f"is {account.role} now, and has to log in again.",
            str(account.role),
        )

    @expose("/<path:email>/grant", methods=["POST"])
    @shows_refusals(NOT_CHANGED, to=".show")
    def grant(self, email: str) -> ResponseReturnValue:
        """Give a role for the schedules with a tag. The account's sessions end."""
        role = request.form.get("role", "")
        tag = request.form.get("tag", "")
        account = _accounts().grant(email, role, tag)
        text = f"is {role} of the schedules tagged {tag.strip()} now."
        return _done(RoleChanged, account, text, role_for_tag(role, tag))

    @expose("/<path:email>/withdraw", methods=["POST"])
    @shows_refusals(NOT_CHANGED, to=".show")
    def withdraw(self, email: str) -> ResponseReturnValue:
        """Take the role for a tag away. The account's sessions end."""
        tag = request.form.get("tag", "")
        account = _accounts().withdraw(email, tag)
        text = f"has no role for the tag {tag.strip()} any more."
        return _done(RoleChanged, account, text, role_for_tag(None, tag))

    @expose("/<path:email>/disable", methods=["POST"])
    @shows_refusals(NOT_CHANGED, to=".show")
    def disable(self, email: str) -> ResponseReturnValue:
        """Refuse logins and tokens of the account. Its sessions end."""
        text = "is disabled: no login and no token works."
        return _done(AccountDisabled, _accounts().disable(email), text)

    @expose("/<path:email>/enable", methods=["POST"])
    @shows_refusals(NOT_CHANGED, to=".show")
    def enable(self, email: str) -> ResponseReturnValue:
        """Permit logins and tokens of the account again."""
        return _done(AccountEnabled, _accounts().enable(email), "is enabled.")

    @expose("/<path:email>/sign-out", methods=["POST"])
    @shows_refusals(NOT_CHANGED, to=".show")
    def sign_out(self, email: str) -> ResponseReturnValue:
        """End all sessions of the account."""
        return _done(SessionsEnded, _accounts().sign_out(email), "is signed out everywhere.")

    @expose("/<path:email>/reset-password", methods=["POST"])
    @shows_refusals(NOT_CHANGED, to=".show")
    def reset_password(self, email: str) -> ResponseReturnValue:
        """Take the password away, and show the link for a new one, once."""
        link = services().password_links.reset(email, by=actor(), now=utc_now())
        record_by_visitor(PasswordChanged, link.email, "taken away")
        return self._link_page(link)

    @expose("/<path:email>/reset-second-factor", methods=["POST"])
    @shows_refusals(NOT_CHANGED, to=".show")
    def reset_second_factor(self, email: str) -> ResponseReturnValue:
        """Remove all second factors of the account. Its sessions end."""
        address = services().second_factors.reset(email)
        text = "logs in with the password alone, until there is a new second factor."
        return _done(SecondFactorReset, _accounts().get(address), text)

    def _link_page(self, link: Link) -> str:
        return self.render(
            "people/link.html", link=link, address=address_of(link), no_mail=mail(link)
        )
