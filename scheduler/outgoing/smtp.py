"""Giving a mail to the server that `SMTP_URL` names, and saying what became of it for each
recipient.

An SMTP server answers each recipient by itself. What it refuses for now (4xx, no connection) is
worth another attempt, what it refuses for good (5xx) is not.
"""

import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage

from scheduler.errors import BeatdeskError
from scheduler.events.bounds import plain_text
from scheduler.settings.smtp import SmtpServer

SECONDS = 10.0
"""For each answer of the server."""

Refusals = Mapping[str, tuple[int, bytes]]


class MailDeferred(BeatdeskError):
    """The server does not take the mail now. `left` are the recipients that it was not taken for,
    where some were.
    """

    def __init__(self, message: str, left: list[str] | None = None) -> None:
        super().__init__(message)
        self.left = left

    def __reduce__(self) -> tuple[type["MailDeferred"], tuple[str, list[str] | None]]:
        """Errors cross from process to process."""
        return type(self), (str(self), self.left)


class MailRefused(BeatdeskError):
    """The server does not take the mail, and would not later either."""


def give(
    server: SmtpServer,
    mail: EmailMessage,
    sender: str,
    to: list[str],
    *,
    trust: ssl.SSLContext | None = None,
) -> None:
    """Give the mail to the server, for all of these recipients. Raises MailDeferred or
    MailRefused.
    """
    place = f"{server.host}:{server.port}"
    try:
        smtp = _connected(server, trust or ssl.create_default_context())
        try:
            refused = smtp.send_message(mail, sender, to)
        finally:
            with suppress(OSError, smtplib.SMTPException):  # the mail is taken or refused already
                smtp.quit()
    except smtplib.SMTPRecipientsRefused as error:
        raise _judged(place, error.recipients, []) from error
    except smtplib.SMTPResponseException as error:
        words = f"{place} answered {error.smtp_code} {_words(error.smtp_error)}"
        raise (MailDeferred if _passing(error.smtp_code) else MailRefused)(words) from error
    except (smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
        raise MailRefused(f"{place}: {getattr(error, 'verify_message', '') or error}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailDeferred(f"{place}: {_reason(error)}") from error
    if refused:
        raise _judged(place, refused, [address for address in to if address not in refused])


def greet(server: SmtpServer, *, trust: ssl.SSLContext | None = None) -> None:
    """Connect and say EHLO, as `doctor` does: no mail, no password. Raises MailDeferred or
    MailRefused.
    """
    place = f"{server.host}:{server.port}"
    try:
        with _opened(server, trust or ssl.create_default_context()) as smtp:
            code, words = smtp.ehlo()
            secures = smtp.has_extn("starttls")
    except ssl.SSLError as error:
        raise MailRefused(f"{place}: {getattr(error, 'verify_message', '') or error}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailDeferred(f"{place}: {_reason(error)}") from error
    if code != 250:
        raise MailRefused(f"{place} answered {code} {_words(words)}")
    if server.security == "starttls" and not secures:
        raise MailRefused(f"{place} does not offer STARTTLS")


def _opened(server: SmtpServer, trust: ssl.SSLContext) -> smtplib.SMTP:
    """A connection that the server has answered, encrypted from the first byte where the setting
    says so.
    """
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=trust)
    return smtplib.SMTP(server.host, server.port, timeout=SECONDS)


def _connected(server: SmtpServer, trust: ssl.SSLContext) -> smtplib.SMTP:
    """A session, secured and logged in as the setting says."""
    smtp = _opened(server, trust)
    try:
        if server.security == "starttls":
            smtp.starttls(context=trust)
        if server.user is not None:
            smtp.login(server.user, server.password or "")
    except BaseException:
        smtp.close()
        raise
    return smtp


def _judged(place: str, refused: Refusals, taken: list[str]) -> BeatdeskError:
    """What becomes of a mail that was refused for these recipients, and taken for those."""
    said = "; ".join(
        f"{address}: {code} {_words(words)}" for address, (code, words) in refused.items()
    )
    text = f"{place} refused {said}"
    if taken:
        text += f"; it took the mail for {', '.join(taken)}"
    if all(_passing(code) for code, _ in refused.values()):
        return MailDeferred(text, list(refused))
    return MailRefused(text)


def _passing(code: int) -> bool:
    """Whether the answer is about now only (RFC 5321, 4.2.1); a connection that nobody answered has
    no code.
    """
    return not 500 <= code <= 599


def _words(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return plain_text(" ".join(text.split()))[:300]


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused; nobody listens there"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
