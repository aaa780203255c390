"""Tokens for programs: made once, shown once, stored as a digest.

A token of a person never has more rights than the person has now. A token of a service has no
person behind it, and an administrator answers for it.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Engine, select, update
from sqlalchemy.orm import Session

from scheduler.accounts.policy import check_email
from scheduler.accounts.rights import ROLE_OF_SCOPE, Rights, Scope, check_scope, check_tag
from scheduler.accounts.secret_texts import digest_of, make_text
from scheduler.accounts.store import find_user, rights_of
from scheduler.errors import NotFound, Refused
from scheduler.events.access import PROGRAM
from scheduler.history.account_models import Token, User
from scheduler.history.engine import writing

PREFIX = "bd_"
USUAL_DAYS = 90
MOST_DAYS = 3650
MOST_TOKENS = 100
"""Most usable tokens of one person, or of all services together."""

NOTED_EVERY = timedelta(minutes=5)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class TokenFacts(BaseModel):
    """A token without its secret. `owner` is a mail address, None for a service's token."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    owner: str | None
    scope: Scope
    tag: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    @property
    def summary(self) -> str:
        """Return owner, scope, tag and end, for the access log."""
        tag = "" if self.tag is None else f" of tag:{self.tag}"
        owner = self.owner or "a service"
        return f"{owner}: {self.scope}{tag} until {self.expires_at:%Y-%m-%d}"

    def state(self, now: datetime) -> str:
        """Return `active`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if now < self.expires_at else "expired"


class NewToken(TokenFacts):
    """A token that has just been made, with its secret."""

    token: str


@dataclass(frozen=True)
class TokenHolder:
    """Who calls with a token: the name in events and revisions, and the rights."""

    facts: TokenFacts
    rights: Rights

    @property
    def actor(self) -> str:
        """Return `token:NAME`, after the owner's address if a person owns the token."""
        name = f"{PROGRAM}{self.facts.name}"
        return name if self.facts.owner is None else f"{self.facts.owner} {name}"


class Tokens:
    """The tokens of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = writing(engine)

    def create(
        self,
        name: str,
        scope: str,
        *,
        owner: str | None,
        by: str,
        now: datetime,
        tag: str | None = None,
        days: int = USUAL_DAYS,
    ) -> NewToken:
        """Make a token for the account `owner`, or for a service. Returns it with its secret.

        `days` is the time until it expires, `by` whoever made it. Raises NotFound, and Refused for
        a name in use, a scope beyond the owner's rights, or a bad value.
        """
        checked = check_name(name)
        checked_scope = check_scope(scope)
        checked_tag = check_tag(tag) if tag else None
        secret = make_text(PREFIX)
        with Session(self._writing) as session, session.begin():
            user = None if owner is None else find_user(session, owner)
            if user is not None:
                _check_rights(user, checked_scope, checked_tag)
            _check_room(session, checked, user, now)
            token = Token(
                digest=digest_of(secret),
                user_id=None if user is None else user.id,
                name=checked,
                scope=checked_scope,
                tag=checked_tag,
                created_at=now,
                created_by=by,
                expires_at=now + timedelta(days=check_days(days)),
            )
            session.add(token)
            session.flush()
            facts = _facts(token, None if user is None else user.email)
        return NewToken(**facts.model_dump(), token=secret)

    def list(self, owner: str | None = None) -> list[TokenFacts]:
        """All tokens, or those of an account; the newest first."""
        query = select(Token, User.email).outerjoin(User, User.id == Token.user_id)
        if owner is not None:
            query = query.where(User.email == check_email(owner))
        with Session(self._engine) as session:
            rows = session.execute(query.order_by(Token.id.desc()))
            return [_facts(token, email) for token, email in rows]

    def revoke(self, token_id: int, *, owner: str | None = None, now: datetime) -> TokenFacts:
        """Refuse a token from now on. With `owner`, only a token of this account.

        Returns the token. A token revoked before stays as it is. Raises NotFound.
        """
        with Session(self._writing) as session, session.begin():
            found = session.execute(
                select(Token, User.email)
                .outerjoin(User, User.id == Token.user_id)
                .where(Token.id == token_id)
            ).one_or_none()
            if found is None or (owner is not None and found[1] != check_email(owner)):
                raise NotFound(
                    f"there is no token {token_id}; `beatdesk tokens list` shows all", field="id"
                )
            token, email = found
            if token.revoked_at is None:
                token.revoked_at = now
            return _facts(token, email)

    def holder(self, secret: str, now: datetime) -> TokenHolder | None:
        """Return who calls with the secret; None for an unknown, expired or revoked token.

        A token of a disabled account is refused too. Notes the use.
        """
        if not secret.startswith(PREFIX):
            return None
        with Session(self._engine) as session:
            token = session.scalar(select(Token).where(Token.digest == digest_of(secret)))
            if token is None or token.revoked_at is not None or token.expires_at <= now:
                return None
            user = None if token.user_id is None else session.get(User, token.user_id)
            if token.user_id is not None and (user is None or not user.active):
                return None
            facts = _facts(token, None if user is None else user.email)
            rights = _most(facts.scope) if user is None else rights_of(user)
        if facts.used_at is None or facts.used_at < now - NOTED_EVERY:
            self._note(facts.id, now)
        return TokenHolder(facts, rights.limited(facts.scope, facts.tag))

    def _note(self, token_id: int, now: datetime) -> None:
        with Session(self._writing) as session, session.begin():
            session.execute(update(Token).where(Token.id == token_id).values(used_at=now))


def check_name(name: str) -> str:
    """The name of a token. Raises Refused for a name that does not fit the audit's lines."""
    if not _NAME.fullmatch(name):
        raise Refused(
            f"name: {name[:63]!r} cannot name a token; use up to 63 letters, digits, dots, dashes "
            "and underscores, such as deploy",
            field="name",
        )
    return name


def check_days(days: int) -> int:
    """The days until a token expires. Raises Refused for a number out of range."""
    if not 1 <= days <= MOST_DAYS:
        raise Refused(f"days: {days} is not a number from 1 to {MOST_DAYS}", field="days")
    return days


def _check_rights(user: User, scope: Scope, tag: str | None) -> None:
    """Refuse a scope beyond the rights of the owner: it would promise what the token cannot do."""
    rights = rights_of(user)
    least = ROLE_OF_SCOPE[scope]
    covered = rights.covers(least) if tag is None else rights.covers_schedule(least, [tag])
    if not covered:
        where = "" if tag is None else f" for the tag {tag!r}"
        raise Refused(
            f"scope: {user.email!r} has no right to {scope}{where}; choose a lower scope",
            field="scope",
        )


def _check_room(session: Session, name: str, user: User | None, now: datetime) -> None:
    """Refuse a name in use among the usable tokens of the owner, and too many of them."""
    owned: ColumnElement[bool] = Token.user_id == (None if user is None else user.id)
    names = set(
        session.scalars(
            select(Token.name).where(owned, Token.revoked_at.is_(None), Token.expires_at > now)
        )
    )
    if name in names:
        raise Refused(
            f"name: there is a token {name!r} already; revoke it first, or choose another name",
            field="name",
        )
    if len(names) >= MOST_TOKENS:
        raise Refused(
            f"name: there are {MOST_TOKENS} tokens already; revoke those that nobody uses",
            field="name",
        )


def _most(scope: Scope) -> Rights:
    return Rights(ROLE_OF_SCOPE[scope])


def _facts(token: Token, owner: str | None) -> TokenFacts:
    return TokenFacts(
        id=token.id,
        name=token.name,
        owner=owner,
        scope=check_scope(token.scope),
        tag=token.tag,
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=token.expires_at,
        used_at=token.used_at,
        revoked_at=token.revoked_at,
    )
