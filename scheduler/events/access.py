"""Events about access: logins, accounts, tokens, exports, secrets; a part of the event vocabulary.

access.logged_in               somebody logged in
access.login_failed            a login was refused for its address or password
access.logged_out              somebody logged out
access.sessions_ended          sessions of an account were ended
access.account_created         an account was made
access.account_invited         somebody was invited to set a password
access.account_disabled        an account may log in no more
access.account_enabled         an account may log in again
access.role_changed            an account got another role, or a role for a tag
access.password_changed        an account got another password
access.second_factor_added     an account got an authenticator app, a passkey or recovery codes
access.second_factor_removed   an account lost one by its owner
access.second_factor_reset     an account lost all of them by an administrator
access.recovery_code_used      a recovery code stood for the second factor
access.token_created           a token for programs was made
access.token_revoked           a token for programs was revoked
access.exported                data left the console as a file
access.secret_used             a run got the value of a secret

Names of failed logins come from strangers: `access_event` bounds and escapes every text.
"""

from datetime import datetime
from typing import Literal, TypeVar

from scheduler.events.edits import Event
from scheduler.terminal_text import visible

MOST_CHARACTERS = 255
"""Most characters of a text of an access event; a longer one is cut."""

PROGRAM = "token:"
"""The beginning of an actor with a token, after the address of the token's owner, if it has one."""


RUN = "run:"
"""The beginning of an actor that is a run, before the run's id."""


class AccessEvent(Event):
    """Somebody's access: `actor` did it to `subject`, from the network address `address`.

    `subject` is an account's address, a token's name, a file or a schedule. `address` is empty for
    a command. `detail` is the reason, the role, or what else belongs to the kind.
    """

    actor: str
    subject: str = ""
    address: str = ""
    detail: str = ""


class LoggedIn(AccessEvent):
    """Somebody logged in; `detail` is the way: `password`, `passkey`, `single sign-on`, `proxy`,
    and after a comma the second step.
    """

    kind: Literal["access.logged_in"] = "access.logged_in"


class LoginFailed(AccessEvent):
    """A login was refused; `subject` is the name as it was sent, which may be anything."""

    kind: Literal["access.login_failed"] = "access.login_failed"


class LoggedOut(AccessEvent):
    """Somebody logged out, which ends all sessions of the account."""

    kind: Literal["access.logged_out"] = "access.logged_out"


class SessionsEnded(AccessEvent):
    """All sessions of an account were ended, or one, as `detail` says then."""

    kind: Literal["access.sessions_ended"] = "access.sessions_ended"


class AccountCreated(AccessEvent):
    """An account was made; `detail` is the role, and who gave it if no person did."""

    kind: Literal["access.account_created"] = "access.account_created"


class AccountInvited(AccessEvent):
    """Somebody was invited to set a password; `detail` is the role."""

    kind: Literal["access.account_invited"] = "access.account_invited"


class AccountDisabled(AccessEvent):
    """An account may log in no more."""

    kind: Literal["access.account_disabled"] = "access.account_disabled"


class AccountEnabled(AccessEvent):
    """An account may log in again."""

    kind: Literal["access.account_enabled"] = "access.account_enabled"


class RoleChanged(AccessEvent):
    """An account got another role; `detail` is the new role, with its tag if it has one."""

    kind: Literal["access.role_changed"] = "access.role_changed"


class PasswordChanged(AccessEvent):
    """An account got another password."""

    kind: Literal["access.password_changed"] = "access.password_changed"


class SecondFactorAdded(AccessEvent):
    """An account got a second factor, as `detail` says: an authenticator app, a passkey with its
    name, or recovery codes.
    """

    kind: Literal["access.second_factor_added"] = "access.second_factor_added"


class SecondFactorRemoved(AccessEvent):
    """The owner of an account removed a second factor, as `detail` says."""

    kind: Literal["access.second_factor_removed"] = "access.second_factor_removed"


class SecondFactorReset(AccessEvent):
    """An administrator removed all second factors of an account."""

    kind: Literal["access.second_factor_reset"] = "access.second_factor_reset"


class RecoveryCodeUsed(AccessEvent):
    """A recovery code stood for the second factor; `detail` is how many are left."""

    kind: Literal["access.recovery_code_used"] = "access.recovery_code_used"


class TokenCreated(AccessEvent):
    """A token for programs was made; `subject` is its name, `detail` its scopes and its end."""

    kind: Literal["access.token_created"] = "access.token_created"


class TokenRevoked(AccessEvent):
    """A token for programs was revoked; `subject` is its name."""

    kind: Literal["access.token_revoked"] = "access.token_revoked"


class DataExported(AccessEvent):
    """Data left the console as a file; `subject` is the file or the list."""

    kind: Literal["access.exported"] = "access.exported"


class SecretUsed(AccessEvent):
    """A run got the value of a secret; `actor` is the run, `subject` the secret's name, `detail`
    the job. Each attempt that gets it has its own event.
    """

    kind: Literal["access.secret_used"] = "access.secret_used"


AnyAccess = (
    LoggedIn
    | LoginFailed
    | LoggedOut
    | SessionsEnded
    | AccountCreated
    | AccountInvited
    | AccountDisabled
    | AccountEnabled
    | RoleChanged
    | PasswordChanged
    | SecondFactorAdded
    | SecondFactorRemoved
    | SecondFactorReset
    | RecoveryCodeUsed
    | TokenCreated
    | TokenRevoked
    | DataExported
    | SecretUsed
)
"""Every kind of access event."""

AccessKind = TypeVar("AccessKind", bound=AccessEvent)


def access_event(
    kind: type[AccessKind],
    *,
    actor: str,
    at: datetime,
    subject: str = "",
    address: str = "",
    detail: str = "",
) -> AccessKind:
    """Return an access event whose texts are bounded and have no control characters."""
    return kind(
        at=at,
        actor=_bounded(actor),
        subject=_bounded(subject),
        address=_bounded(address),
        detail=_bounded(detail),
    )


def role_for_tag(role: str | None, tag: str) -> str:
    """Return the detail of a RoleChanged about a tag; `role` is None for one that was withdrawn."""
    return f"{role or 'none'} of tag:{tag.strip()}"


def _bounded(text: str) -> str:
    """The text in at most `MOST_CHARACTERS`; cut before anything reads it as a whole."""
    shown = visible(text[: MOST_CHARACTERS + 1])
    return shown if len(shown) <= MOST_CHARACTERS else shown[: MOST_CHARACTERS - 1] + "…"
