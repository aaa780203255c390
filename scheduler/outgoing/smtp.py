"""Delivery of a mail to an SMTP server, with the outcome for each recipient.

An SMTP server answers for each recipient separately. A temporary refusal (4xx, no connection) is
worth another attempt, a permanent one (5xx) is not (RFC 5321, 4.2.1).
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
"""Limit for each answer of the server."""

Refusals = Mapping[str, tuple[int, bytes]]


class MailDeferred(BeatdeskError):
    """A temporary refusal by the server. `left` are the remaining recipients after an answer for
    each; None after a refusal of the whole mail.
    """

    def __init__(self, message: str, left: list[str] | None = None) -> None:
        super().__init__(message)
        self.left = left

    def __reduce__(self) -> tuple[type["MailDeferred"], tuple[str, list[str] | None]]:
        """Pickle with both arguments: a worker's child hands errors to its main process."""
        return type(self), (str(self), self.left)


class MailRefused(BeatdeskError):
    """The server refuses the mail for good."""


def give(
    server: SmtpServer,
    mail: EmailMessage,
    sender: str,
    to: list[str],
    *,
    trust: ssl.SSLContext | None = None,
) -> None:
    """Give a mail to the server, for the recipients `to`.

    `trust` replaces the machine's trusted certificates. Raises MailDeferred or MailRefused, also
    for a mail accepted for some recipients only.
    """
    place = f"{server.host}:{server.port}"
    try:
        smtp = _connected(server, trust or ssl.create_default_context())
        try:
            refused = smtp.send_message(mail, sender, to)
        finally:
            with suppress(OSError, smtplib.SMTPException):  # the mail's fate is decided already
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
    """Connect and send EHLO, for `doctor`: no mail, no password.

    Raises MailDeferred or MailRefused, the latter also for a server without the configured
    STARTTLS.
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
    """A connection after the server's greeting; encrypted from the first byte for `tls`."""
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=trust)
    return smtplib.SMTP(server.host, server.port, timeout=SECONDS)


def _connected(server: SmtpServer, trust: ssl.SSLContext) -> smtplib.SMTP:
    """A session, secured and logged in by the settings of the server."""
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
    """The error for a mail refused for some recipients; `taken` are the others."""
    refusals_text = "; ".join(
        f"{address}: {code} {_words(words)}" for address, (code, words) in refused.items()
    )
    text = f"{place} refused {refusals_text}"
    if taken:
        text += f"; it took the mail for {', '.join(taken)}"
    if all(_passing(code) for code, _ in refused.values()):
        return MailDeferred(text, list(refused))
    return MailRefused(text)


def _passing(code: int) -> bool:
    """Whether a refusal is temporary (RFC 5321, 4.2.1); an answer without a code (-1) is."""
    return not 500 <= code <= 599


def _words(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return plain_text(" ".join(text.split()))[:300]


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused; nobody listens there"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
