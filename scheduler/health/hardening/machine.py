"""Hardening of the machine: the user of the processes, and the modes of files."""

import os
import shlex
import stat
from pathlib import Path

from scheduler.health.status import Part
from scheduler.settings.private_files import own_files, rights_of_others
from scheduler.settings.schema import Settings


def user() -> Part:
    """Whether the processes run without the rights of root; doctor runs as their user."""
    number = os.geteuid()
    remedy = (
        "Run every process, and this command, as a user of its own without a login"
        if number == 0
        else ""
    )
    summary = "root, whom no mode of a file and no limit holds" if number == 0 else f"uid {number}"
    return Part(name="user", ok=number != 0, summary=summary, remedy=remedy)


def files(settings: Settings) -> Part:
    """Whether others on this machine can use Beatdesk's files and the files with secrets.

    Rights of a group are shown and no fault: somebody gave them on purpose.
    """
    places = [
        *own_files(settings.data_dir.resolve(), settings.database),
        *([settings.history_export] if settings.history_export else []),
        *_job_secrets(settings.secrets_dir),
        Path.cwd() / ".env",
    ]
    is_open = [path for path in places if rights_of_others(path)]
    if is_open:
        named = " ".join(shlex.quote(str(path)) for path in is_open)
        return Part(
            name="files",
            ok=False,
            summary=f"others on this machine can use {named}",
            remedy=f"Run: chmod o-rwx {named}",
            facts={"open": [str(path) for path in is_open]},
        )
    shared = [str(path) for path in places if _is_for_group(path)]
    summary = f"private; a group can read {', '.join(shared)}" if shared else "private"
    return Part(name="files", ok=True, summary=summary, facts={"open": [], "for_group": [*shared]})


def _job_secrets(folder: Path | None) -> list[Path]:
    """The files of jobs' secrets, where others can enter their folder.

    The folder itself may be for everybody: a container runtime mounts it so, and it is read-only.
    """
    if folder is None or not os.access(folder, os.R_OK | os.X_OK):
        return []
    if not rights_of_others(folder) & stat.S_IXOTH:
        return []
    return [path for path in sorted(folder.iterdir()) if path.is_file()]


def _is_for_group(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IRGRP)
    except OSError:
        return False
