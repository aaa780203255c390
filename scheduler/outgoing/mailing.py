"""Sending a mail, for every job that has something to send: the settings say where to and as whom.

Delivery is at least once: where the server takes a mail and the worker dies before it can say so,
the next attempt gives the same mail to the server again, under the same `Message-ID`.
"""

import re
from datetime import datetime
from pathlib import Path

from scheduler.errors import NotFound, Refused
from scheduler.history.views import ReportView
from scheduler.outgoing import smtp
from scheduler.outgoing.letters import (
    LARGEST_ATTACHMENTS,
    Attachment,
    Letter,
    composed,
    message_id,
    recipients,
)
from scheduler.settings.schema import Settings
from scheduler.settings.smtp import sender, smtp_server


def send(settings: Settings, letter: Letter, *, run: str, key: str = "", now: datetime) -> str:
    """Give the letter to the server that `SMTP_URL` names; the mail's id, which is made from the
    run's.

    `key` tells several mails of one run apart. Raises Refused (it cannot be sent like this),
    MailDeferred (another attempt may do) or MailRefused (the server does not want it).
    """
    if settings.smtp_url is None:
        raise Refused(
            "there is no server for mails; set BEATDESK_SMTP_URL for the workers", field="smtp_url"
        )
    name, address = sender(settings.mail_from)
    identity = message_id(run, address, key)
    mail = composed(letter, sender=(name, address), identity=identity, now=now)
    smtp.give(smtp_server(settings.smtp_url), mail, address, recipients(letter.to))
    return identity


def attached(folder: Path, report: ReportView) -> Attachment:
    """A stored report as an attachment, under the name that it was stored with. Raises NotFound or
    Refused.
    """
    file = (folder / report.path).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise NotFound(
            f"reports: the file of report {report.id} is not there any more", field="reports"
        )
    if report.size > LARGEST_ATTACHMENTS:
        raise Refused(
            f"reports: {report.title!r} has {report.size} bytes, and a mail takes "
            f"{LARGEST_ATTACHMENTS}",
            field="reports",
        )
    name = re.sub(r"^[0-9a-f]{8}-", "", file.name)
    return Attachment(name, report.media_type.partition(";")[0].strip().lower(), file.read_bytes())
