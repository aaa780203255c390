"""People whom a provider or a proxy has logged in: from their description to a session here.

A proxy is believed only where the connection comes from one of the addresses of the setting
`PROXY_LOGIN_FROM`; the headers of all others are ignored.
"""

from flask import abort, current_app, request
from flask_login import current_user
from flask_security.utils import login_user

from scheduler.accounts.outside import Admission, OutsidePeople, OutsidePerson
from scheduler.accounts.policy import as_stored
from scheduler.clock import utc_now
from scheduler.errors import Refused
from scheduler.events.access import AccountCreated, RoleChanged
from scheduler.settings.sign_on import is_from
from webadmin.access import rates
from webadmin.access.recording import record
from webadmin.front.proxies import ORIGINAL
from webadmin.services import services

PROXY = "proxy"
LONGEST_HEADER = 4096


def admit(person: OutsidePerson, method: str) -> None:
    """Log a person in whom somebody else vouches for; an account or role given thereby is recorded.

    `method` is the way of the login, for the access log and the list of sessions. Raises Refused.
    """
    settings = services().settings
    admission = Admission(settings.group_roles, settings.provision)
    admitted = OutsidePeople(services().engine).admit(person, admission, now=utc_now())
    account = admitted.account
    detail = f"{account.role}, by {method}"
    if admitted.is_new:
        record(AccountCreated, actor=account.email, subject=account.email, detail=detail)
    if admitted.has_new_role:
        record(RoleChanged, actor=account.email, subject=account.email, detail=detail)
    # The account's row may be newer than the first query of this request.
    current_app.extensions["sessions"].rollback()
    datastore = current_app.extensions["security"].datastore
    login_user(datastore.find_user(email=account.email), authn_via=[method])


def recognise_by_proxy() -> None:
    """Log the person in whom a trusted proxy names, unless this session is his already.

    Aborts with 403 for a person without an account or role here.
    """
    settings = services().settings
    if not settings.proxy_login_from or not is_from(peer_address(), settings.proxy_login_from):
        return
    email = as_stored(request.headers.get(settings.proxy_login_header, "")[:LONGEST_HEADER])
    if not email or (current_user.is_authenticated and current_user.email == email):
        return
    groups = request.headers.get(settings.proxy_groups_header, "")[:LONGEST_HEADER].split(",")
    person = OutsidePerson(
        PROXY, email, email, is_verified=True, groups=[group.strip() for group in groups]
    )
    try:
        admit(person, PROXY)
    except Refused as error:
        rates.count_from_outside(email, f"{PROXY}: {error}")
        abort(403, str(error))


def peer_address() -> str:
    """Return the address at the other end of the connection, whatever headers say."""
    original = request.environ.get(ORIGINAL, request.environ)
    return str(original.get("REMOTE_ADDR") or "")
