"""Mails of jobs, sent by the settings `SMTP_URL` and `MAIL_FROM`.

Delivery is at least once: after the death of a worker between the server's acceptance and the end
of the run, the next attempt sends the mail again, with an equal `Message-ID`.
"""

import re
from datetime import datetime
from pathlib import Path

from scheduler.errors import NotFound, Refused
from scheduler.history.queries.views import ReportView
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
    """Give a letter to the server of `SMTP_URL`. Returns the mail's `Message-ID`.

    `run` is the run's id, the source of the `Message-ID`; `key` distinguishes several mails of one
    run. Raises Refused for an invalid letter, and without a server; MailDeferred if another attempt
    may succeed; MailRefused for a permanent refusal by the server.
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
    """A stored report as an attachment, under its original file name.

    Raises NotFound for a missing file, Refused for a file too large for a mail.
    """
    file = (folder / report.path).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise NotFound(f"reports: the file of report {report.id} no longer exists", field="reports")
    if report.size > LARGEST_ATTACHMENTS:
        raise Refused(
            f"reports: {report.title!r} has {report.size} bytes, and a mail takes "
            f"{LARGEST_ATTACHMENTS}",
            field="reports",
        )
    name = re.sub(r"^[0-9a-f]{8}-", "", file.name)
    return Attachment(name, report.media_type.partition(";")[0].strip().lower(), file.read_bytes())
