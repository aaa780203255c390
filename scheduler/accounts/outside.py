"""People whom somebody else has logged in: a provider of single sign-on, or a proxy.

A person is found by the name at the provider. An account of the same address is taken only where
the provider has verified the address: otherwise whoever may choose an address there would choose
somebody else's account here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from scheduler.accounts.policy import Account, check_email, make_password
from scheduler.accounts.store import Accounts, find_user
from scheduler.errors import NotFound, Refused
from scheduler.history.account_models import Identity, User
from scheduler.history.engine import writing
from scheduler.settings.sign_on import role_of_groups

LONGEST_NAME = 255
USUAL_ROLE = "viewer"


@dataclass(frozen=True)
class OutsidePerson:
    """A person as the provider describes him. `is_verified`: the provider vouches for the address.

    `issuer` and `subject` are the provider and the person's unchanging name there.
    """

    issuer: str
    subject: str
    email: str
    is_verified: bool
    groups: Sequence[str] = ()


@dataclass(frozen=True)
class Admission:
    """Who is let in: `group_roles` are entries `GROUP=ROLE`, none for the account's own role.

    With `provision`, a person without an account gets one.
    """

    group_roles: Sequence[str] = ()
    provision: bool = False


@dataclass(frozen=True)
class Admitted:
    """A person who was let in, and what that has changed: a new account, or another role."""

    account: Account
    is_new: bool = False
    has_new_role: bool = False


class OutsidePeople:
    """The people from outside, in one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._accounts = Accounts(engine)

    def admit(self, person: OutsidePerson, admission: Admission, *, now: datetime) -> Admitted:
        """Return the account of a person, with the role that the groups give now.

        Raises Refused for a person without an account or role here, or with a disabled account.
        """
        if not person.subject or max(len(person.subject), len(person.issuer)) > LONGEST_NAME:
            raise Refused("sub: the provider gives no usable name for this person", field="sub")
        role = self._role(person, admission)
        account = self._by_name(person)
        is_new = False
        if account is None:
            account, is_new = self._by_address(person, admission, role, now)
            self._remember(person, account.email)
        if not account.active:
            raise Refused(f"the account {account.email!r} is disabled", field="email")
        if role is None or role == account.role:
            return Admitted(account, is_new=is_new)
        return Admitted(self._accounts.set_role(account.email, role), has_new_role=True)

    def _role(self, person: OutsidePerson, admission: Admission) -> str | None:
        if not admission.group_roles:
            return None
        role = role_of_groups(person.groups, admission.group_roles)
        if role is None:
            raise Refused(
                "none of your groups has a role here; an administrator sets BEATDESK_GROUP_ROLES",
                field="groups",
            )
        return role

    def _by_name(self, person: OutsidePerson) -> Account | None:
        """Return the account of a person who was here before, by the name at the provider."""
        with Session(self._engine) as session:
            email = session.scalar(
                select(User.email)
                .join(Identity, Identity.user_id == User.id)
                .where(Identity.issuer == person.issuer, Identity.subject == person.subject)
            )
        return None if email is None else self._accounts.get(email)

    def _by_address(
        self, person: OutsidePerson, admission: Admission, role: str | None, now: datetime
    ) -> tuple[Account, bool]:
        """Return the account of the person's address, made where that is permitted, and whether it
        was made.
        """
        email = check_email(person.email)
        if not person.is_verified:
            raise Refused(f"the provider has not verified the address {email!r}", field="email")
        try:
            return self._accounts.get(email), False
        except NotFound:
            if not admission.provision:
                raise Refused(
                    f"there is no account {email!r} here; ask an administrator for an invitation",
                    field="email",
                ) from None
        made = self._accounts.create(email, make_password(), role or USUAL_ROLE, now=now)
        return made, True

    def _remember(self, person: OutsidePerson, email: str) -> None:
        with Session(self._writing) as session, session.begin():
            user = find_user(session, email)
            session.merge(Identity(issuer=person.issuer, subject=person.subject, user_id=user.id))
