"""nginx with the file that operators copy, on free ports of the loopback address."""

import http.client
import os
import re
import shutil
import ssl
import subprocess
from pathlib import Path

from tests.support.listeners import certificate
from tests.support.needs import missing
from tests.support.ports import free_port, listens
from tests.support.processes import ROOT, Process
from tests.support.waiting import wait_for

SITE = ROOT / "config/nginx/beatdesk.conf"
NAME = "localhost"

MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/beatdesk.conf;
}}
"""


def program() -> str:
    """The path of nginx; without it the test ends."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        missing("nginx is not installed; `make system` installs it on Debian")
    return found


class Nginx:
    """nginx in front of a console at a port, below a path if there is one."""

    def __init__(self, folder: Path, console: int, prefix: str = "") -> None:
        self.plain, self.port = free_port(), free_port()
        _, self.authority = certificate(folder, NAME)
        text = SITE.read_text(encoding="utf-8")
        for pattern, value in {
            r"\n *listen \[::\].*": "",
            r"listen 80;": f"listen 127.0.0.1:{self.plain};",
            r"listen 443 ": f"listen 127.0.0.1:{self.port} ",
            r"127\.0\.0\.1:8000": f"127.0.0.1:{console}",
            r"/etc/ssl/certs/\S+;": f"{folder}/{NAME}.pem;",
            r"/etc/ssl/private/\S+;": f"{folder}/{NAME}.key;",
            r"desk\.example\.org": NAME,
            r"location / ": f"location {prefix}/ ",
            r"location = /login": f"location = {prefix}/login",
        }.items():
            text, number = re.subn(pattern, value, text)
            assert number, f"{SITE.name} has no {pattern}"
        (folder / "beatdesk.conf").write_text(text)
        user = "user root;" if os.geteuid() == 0 else ""
        self._main = folder / "nginx.conf"
        self._main.write_text(MAIN.format(folder=folder, user=user))
        self._command = (program(), "-e", "stderr", "-p", str(folder), "-c", str(self._main))

    def check(self) -> str:
        """What `nginx -t` says about the file. Raises CalledProcessError where it refuses it."""
        command = [*self._command, "-t"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stderr

    def start(self) -> Process:
        """Start it; returned when it listens."""
        process = Process(*self._command, env=os.environ, name="nginx", keep=True)
        wait_for(lambda: listens(self.port), 20, "nginx listens")
        return process

    def connect(self, address: str = "127.0.0.1") -> http.client.HTTPSConnection:
        """A visitor's connection from this address of the loopback network."""
        context = ssl.create_default_context(cafile=str(self.authority))
        return http.client.HTTPSConnection(
            NAME, self.port, context=context, timeout=30, source_address=(address, 0)
        )
