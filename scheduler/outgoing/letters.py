"""Letters and their mails: recipients, subject, text, attachments. Pure; refuses text that would
begin another header.

The id of a mail is made from the run's id and is equal in each attempt, so a mail given to a server
twice is one mail for its reader: mail programs and servers deduplicate by `Message-ID`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from scheduler.errors import Refused
from scheduler.settings.smtp import mail_address

MOST_RECIPIENTS = 50
LONGEST_SUBJECT = 200
LARGEST_TEXT = 1_000_000
"""Most characters of a part."""

LARGEST_ATTACHMENTS = 20_000_000
"""Most bytes of a mail's attachments together; most servers accept 25 MB for a whole mail."""

_LINE = re.compile(r"[^\x00-\x1f\x7f\x85\u2028\u2029]+")
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f\x7f\"]{1,200}")
_MEDIA_TYPE = re.compile(r"(?P<main>[a-z0-9.+-]{1,60})/(?P<sub>[a-z0-9.+-]{1,60})")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail; `media_type` as `text/csv`, without parameters."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """Content of a mail. `html` repeats `text`, for programs that display HTML."""

    to: Sequence[str]
    subject: str
    text: str
    html: str | None = None
    attachments: Sequence[Attachment] = ()


def recipients(texts: Sequence[str]) -> list[str]:
    """The addresses, each once, in order.

    Raises Refused for no address, for more than `MOST_RECIPIENTS`, and for text other than an
    address.
    """
    if not texts:
        raise Refused("to: a mail needs a recipient", field="to")
    if len(texts) > MOST_RECIPIENTS:
        raise Refused(
            f"to: {len(texts)} addresses are given, and a mail goes to {MOST_RECIPIENTS} at most",
            field="to",
        )
    try:
        return list(dict.fromkeys(mail_address(text) for text in texts))
    except ValueError as error:
        raise Refused(f"to: {error}", field="to") from None


def subject_line(text: str) -> str:
    """The subject without outer spaces. Raises Refused for other than one line of at most
    `LONGEST_SUBJECT` characters: a line break would begin another header.
    """
    if not _LINE.fullmatch(text) or not text.strip() or len(text) > LONGEST_SUBJECT:
        raise Refused(
            f"subject: {text[:80]!r} is not one line of up to {LONGEST_SUBJECT} characters",
            field="subject",
        )
    return text.strip()


def message_id(run: str, address: str, key: str = "") -> str:
    """The `Message-ID` of a run's mail, at the sender's domain; `key` distinguishes several mails
    of one run.
    """
    local = re.sub(r"[^A-Za-z0-9_-]", "-", f"{run}.{key}" if key else run).strip("-")
    return f"<{local}@{address.rpartition('@')[2]}>"


def composed(
    letter: Letter, *, sender: tuple[str, str], identity: str, now: datetime
) -> EmailMessage:
    """The mail of a letter.

    `sender` is (name, address), `identity` the `Message-ID`, `now` the date. Raises Refused with
    the invalid field.
    """
    name, address = sender
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = [Address(addr_spec=text) for text in recipients(letter.to)]
    mail["Subject"] = subject_line(letter.subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = identity
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents out-of-office replies
    mail.set_content(_part("text", letter.text))
    if letter.html is not None:
        mail.add_alternative(_part("html", letter.html), subtype="html")
    if sum(len(attachment.content) for attachment in letter.attachments) > LARGEST_ATTACHMENTS:
        raise Refused(
            f"attachments: they have more than {LARGEST_ATTACHMENTS // 1_000_000} MB; send a link "
            "instead",
            field="attachments",
        )
    for attachment in letter.attachments:
        kind = _MEDIA_TYPE.fullmatch(attachment.media_type)
        if kind is None or not _FILE_NAME.fullmatch(attachment.name):
            raise Refused(
                f"attachments: {attachment.name[:80]!r} is not the name of a file",
                field="attachments",
            )
        mail.add_attachment(
            attachment.content, maintype=kind["main"], subtype=kind["sub"], filename=attachment.name
        )
    return mail


def _part(name: str, text: str) -> str:
    if len(text) > LARGEST_TEXT:
        raise Refused(
            f"{name}: it has {len(text)} characters, and {LARGEST_TEXT} at most are sent",
            field=name,
        )
    return text.encode("utf-8", "replace").decode("utf-8")
