"""Single sign-on by OpenID Connect: `/login/oidc` leads to the provider, `/login/oidc/back` back.

The code flow with state, nonce and PKCE, by Authlib; the ID token's signature, issuer, audience and
age are checked. Endpoints and keys come from the provider's discovery document.
"""

import logging
from typing import Any

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError

from scheduler.accounts.outside import OutsidePerson
from scheduler.errors import Refused
from scheduler.settings.schema import Settings
from webadmin.access import fresh, outside, rates
from webadmin.access.recent_outage import RecentOutage
from webadmin.errors import page
from webadmin.forms.sentences import sentence
from webadmin.guard import safe_path
from webadmin.services import services

log = logging.getLogger(__name__)

METHOD = "single sign-on"
SECONDS = 2
"""Most seconds for one answer of the provider; a thread of the console waits for it."""

REMEMBERED_SECONDS = 10
"""Seconds in which a provider that did not answer is not asked again at the begin of a login."""

OUTAGE = "beatdesk_sign_on_outage"

SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures of ID tokens that are believed; all need a private key."""

MOST_GROUPS = 1000

sign_on = Blueprint("single_sign_on", __name__)


def install(app: Flask, settings: Settings) -> None:
    """Register the login by a provider, where the settings name one."""
    app.jinja_env.globals.update(
        sign_on_name=settings.oidc_name if settings.oidc_issuer is not None else None,
        local_login=settings.local_login,
    )
    app.register_blueprint(sign_on)
    app.extensions[OUTAGE] = RecentOutage(REMEMBERED_SECONDS)
    oauth = OAuth(app)
    if settings.oidc_issuer is not None:
        oauth.register(
            "provider",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            server_metadata_url=settings.oidc_issuer.rstrip("/")
            + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": settings.oidc_scopes,
                "code_challenge_method": "S256",
                "default_timeout": SECONDS,
            },
        )


@sign_on.get("/login/oidc")
def begin() -> ResponseReturnValue:
    """Redirect to the provider. With `again`, the provider is to ask for the password anew."""
    options = {"prompt": "login", "max_age": "0"} if request.args.get("again") else {}
    target = request.args.get("next", "")
    outage: RecentOutage = current_app.extensions[OUTAGE]
    if outage.is_recent:
        return _unreachable("it did not answer a moment ago")
    try:
        _forget_attempts()
        response: ResponseReturnValue = _provider().authorize_redirect(
            url_for("single_sign_on.back", _external=True), **options
        )
    except (OAuthError, OSError, ValueError) as error:
        if isinstance(error, OSError):
            outage.begin()
        return _unreachable(error)
    session["sign_on_next"] = target if safe_path(target) else url_for("home.index")
    return response


@sign_on.get("/login/oidc/back")
def back() -> ResponseReturnValue:
    """Log the person in whom the provider vouches for."""
    target = str(session.get("sign_on_next", ""))
    claims: dict[str, Any] = {}
    try:
        claims = _provider().authorize_access_token().get("userinfo") or {}
        outside.admit(_person(claims), METHOD)
    except (OAuthError, JoseError) as error:
        _count("", error)
        return _refused("The provider's answer does not hold.", 400)
    except Refused as error:
        _count(str(claims.get("email", "")), error)
        return _refused(sentence(str(error)), 403)
    except (OSError, ValueError) as error:
        return _unreachable(error)
    auth_time = claims.get("auth_time")
    if isinstance(auth_time, int):
        fresh.mark_fresh_at(auth_time)
    return redirect(target if safe_path(target) else url_for("home.index"), 303)


def _provider() -> Any:
    """Return the provider, with its discovery document checked. Aborts with 404 without one."""
    issuer = services().settings.oidc_issuer
    if issuer is None:
        abort(404, "Single sign-on is not set up here (BEATDESK_OIDC_ISSUER).")
    provider = current_app.extensions["authlib.integrations.flask_client"].provider
    metadata = provider.load_server_metadata()
    if str(metadata.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise ValueError(f"the provider calls itself {metadata.get('issuer')!r}, not {issuer!r}")
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    believed = [name for name in offered if name in SIGNATURES]
    if not believed:
        raise ValueError(f"the provider signs by {', '.join(map(str, offered))} only")
    metadata["id_token_signing_alg_values_supported"] = believed
    return provider


def _forget_attempts() -> None:
    """Drop logins that were begun and not ended: the cookie has room for a few only."""
    for name in [name for name in session if name.startswith("_state_provider_")]:
        session.pop(name)


def _person(claims: dict[str, Any]) -> OutsidePerson:
    settings = services().settings
    groups = claims.get(settings.oidc_groups_claim)
    listed = groups if isinstance(groups, list) else []
    return OutsidePerson(
        issuer=str(claims.get("iss", "")),
        subject=str(claims.get("sub", "")),
        email=str(claims.get("email", "")),
        is_verified=claims.get("email_verified") is True or settings.oidc_trust_email,
        groups=[group for group in listed[:MOST_GROUPS] if isinstance(group, str)],
    )


def _count(email: str, error: Exception) -> None:
    """Count and record a refused login. Aborts with 429 after too many."""
    if not rates.count_from_outside(email, f"{METHOD}: {error}"):
        abort(429)


def _refused(text: str, code: int) -> ResponseReturnValue:
    return page(
        code, "This login was refused", text, "Begin again from the page of the login.", bare=True
    )


def _unreachable(error: object) -> ResponseReturnValue:
    log.error("the provider of single sign-on does not serve: %s", error)
    return page(
        503,
        "The provider of single sign-on does not answer",
        "Nobody can log in by it until it is back.",
        "See that BEATDESK_OIDC_ISSUER is right and that the console reaches it.",
        bare=True,
    )
