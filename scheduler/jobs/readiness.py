"""Checks of `beatdesk doctor` for the built-in jobs: the folders, databases and servers in the
settings. Read only.
"""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic

from scheduler.errors import BeatdeskError, Refused
from scheduler.health.status import Part
from scheduler.jobs.roots import refuse_own_folder
from scheduler.jobs.sql.caps import Budget, Caps, StatementFailed
from scheduler.jobs.sql.child_process import query
from scheduler.jobs.sql.reading_postgres import WRITABLE
from scheduler.jobs.sql.source import sqlite_path
from scheduler.jobs.sweeping import rows
from scheduler.outgoing.smtp import greet
from scheduler.settings import job_limits
from scheduler.settings.errors import PREFIX, without_password
from scheduler.settings.schema import Settings
from scheduler.settings.smtp import SmtpServer, smtp_server

_CAPS = Caps(rows=10, bytes=10_000, seconds=10)


def of_jobs(settings: Settings, now: datetime) -> list[Part]:
    """A part of doctor's report for each folder, database and mail server in the settings."""
    mend = f"Mend it, or take it out of {PREFIX}FILE_ROOTS"
    parts = [
        _part("file root", partial(_root, root, settings), mend) for root in settings.file_roots
    ]
    parts += report_database(settings)
    if settings.smtp_url is not None:
        mails = smtp_server(settings.smtp_url)
        parts.append(
            _part("mail server", lambda: _greeted(mails), f"Start it, or mend {PREFIX}SMTP_URL")
        )
    return [*parts, *_cleanup(settings, now)]


def report_database(settings: Settings) -> list[Part]:
    """The part of the reports' database: another than Beatdesk's own, with a login that can only
    read. None without one.
    """
    address = settings.report_dsn
    if address is None:
        return []
    remedy = f"Mend {PREFIX}REPORT_DSN, or its login"
    return [_part("report database", lambda: _readable(address), remedy)]


def _root(root: Path, settings: Settings) -> str:
    if root.is_symlink() or not root.is_dir():
        raise Refused(f"{root} is not a folder")
    if not os.access(root, os.R_OK | os.X_OK):
        raise Refused(f"{root} cannot be read by this user")
    refuse_own_folder(root, settings.data_dir)
    return (
        str(root) if os.access(root, os.W_OK) else f"{root}, which this user can read and not write"
    )


def _greeted(server: SmtpServer) -> str:
    """Check that the mail server answers. The first mail shows whether the login is accepted."""
    greet(server)
    return f"{server.host}:{server.port} answers"


def _readable(address: str) -> str:
    """Check that the database answers, and that its login cannot write."""
    budget = Budget(_CAPS, monotonic)
    statement = "SELECT 1 WHERE 1 = 0" if sqlite_path(address) is not None else WRITABLE
    with query(address, statement, {}, budget) as (_, batches):
        writable = [str(row[0]) for batch in batches for row in batch]
    if writable:
        raise StatementFailed(
            f"the login may write to {', '.join(writable)}; take these rights from it (REVOKE), "
            "or name another"
        )
    return f"{without_password(address)} answers, and can only be read"


def _cleanup(settings: Settings, now: datetime) -> Iterator[Part]:
    address = settings.cleanup_dsn
    remedy = f"Mend {PREFIX}CLEANUP_DSN or {PREFIX}CLEANUP_SQL_ROWS"
    for text in settings.cleanup_sql_rows:
        entry = job_limits.sql_rows(text)

        def look(entry: job_limits.SqlRows = entry) -> str:
            if address is None:
                raise Refused(f"{PREFIX}CLEANUP_DSN is not set")
            rows.check(address, entry, now)
            return f"{entry.name} in {without_password(address)}"

        yield _part("cleanup rows", look, remedy)


def _part(name: str, look: Callable[[], str], remedy: str) -> Part:
    try:
        return Part(name=name, ok=True, summary=look())
    except BeatdeskError as problem:
        return Part(name=name, ok=False, summary=str(problem), remedy=remedy)
