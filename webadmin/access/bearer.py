"""Who calls with a token, and which endpoints take tokens."""

from flask import Response, g
from flask_login import UserMixin

from scheduler.accounts.rights import Rights
from scheduler.accounts.tokens import TokenHolder
from scheduler.clock import utc_now
from webadmin.access import rates
from webadmin.access.token_header import problem
from webadmin.services import services

ACCEPTED = frozenset(
    {
        "account.whoami",
        "reports.download",
        "schedules.bulk_export",
        "schedules.export",
        "schedules.preview",
    }
)
"""Endpoints that programs call with a token; all others need a browser's login."""


class Caller(UserMixin):  # type: ignore[misc] # flask-login has no types
    """The caller with a token, in the place of an account."""

    def __init__(self, holder: TokenHolder) -> None:
        self.holder = holder
        self.email = holder.actor
        self.roles: list[str] = []

    @property
    def rights(self) -> Rights:
        """The rights of the token."""
        return self.holder.rights

    def get_id(self) -> str:
        """Return the token's number; no session is made of it."""
        return f"token-{self.holder.facts.id}"


def is_accepted(endpoint: str | None) -> bool:
    """Whether the endpoint can be called with a token."""
    return endpoint in ACCEPTED


def recognise(text: str) -> Response | None:
    """Make the token's holder the caller of the request.

    Returns None, or the answer for a token that does not hold. Wrong tokens are counted like wrong
    logins; a valid token of another caller behind the same address still passes.
    """
    holder = services().tokens.holder(text, utc_now())
    if holder is not None:
        g._login_user = Caller(holder)
        return None
    if rates.is_exhausted(rates.TOKENS):
        return problem(429, "Too many wrong tokens", "Wait a quarter of an hour, then try again.")
    rates.count(rates.TOKENS)
    return problem(
        401,
        "This token does not hold",
        "It is unknown, expired or revoked; `beatdesk tokens list` shows which there are.",
    )
