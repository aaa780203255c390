"""nginx, with the file that operators copy, in front of the console of a production."""

import http.client
import re
import secrets
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing
from email.message import Message
from pathlib import Path
from time import monotonic
from urllib.parse import urlencode

import pytest

from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.nginx import NAME, Nginx
from tests.support.ports import free_port, listens
from tests.support.processes import Process, env_of
from tests.support.waiting import wait_for
from tests.support.webadmin.access_events import access_events
from tests.support.webadmin.plain_server import dribble

FORGED = "198.51.100.1"
PREFIX = "/desk"
SLOW = 200
TRIES = 3
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def nginx(services: Services, settings: Settings, tmp_path: Path) -> Iterator[Nginx]:
    """nginx in front of a console below a path."""
    port = free_port()
    nginx = Nginx(tmp_path, port, PREFIX)
    assert "syntax is ok" in nginx.check()
    production = {
        "environment": "production",
        "secret_key": secrets.token_urlsafe(48),
        "allowed_hosts": (NAME,),
        "trusted_proxies": ("127.0.0.1",),
        "path_prefix": PREFIX,
    }
    environment = env_of(settings.model_copy(update=production))
    Process("beatdesk", "web", "--bind", f"127.0.0.1:{port}", env=environment, name="web")
    process = nginx.start()
    wait_for(lambda: listens(port), 60, "the console listens")
    yield nginx
    process.forget()


def ask(
    nginx: Nginx,
    method: str,
    path: str,
    address: str,
    form: tuple[str, dict[str, str]] = ("", {}),
) -> tuple[int, Message, str]:
    """Status, headers and text of the answer to a visitor at this address."""
    with closing(nginx.connect(address)) as connection:
        connection.request(method, PREFIX + path, form[0] or None, form[1])
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def seconds(nginx: Nginx, path: str) -> float:
    """How long an answer takes, the shortest of a few; a machine may be busy once."""
    found = []
    for _ in range(TRIES):
        start = monotonic()
        assert ask(nginx, "GET", path, "127.0.0.9")[0] == 200
        found.append(monotonic() - start)
    return min(found)


def log_in_wrongly(nginx: Nginx, address: str) -> int:
    """The status of a login with a wrong password and forged headers, through the real form."""
    status, headers, page = ask(nginx, "GET", "/login", address)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert (status, cookie.partition("=")[0]) == (200, "__Secure-beatdesk")
    assert f"Path={PREFIX}" in headers["Set-Cookie"]
    forged = {
        "X-Forwarded-For": FORGED,
        "X-Real-IP": FORGED,
        "Forwarded": f"for={FORGED}",
        "X-Forwarded-Email": "admin@example.org",
        "SCRIPT_NAME": "/evil",
    }
    fields = {"csrf_token": token, "email": "ann@example.org", "password": "not the password"}
    origin = f"https://{NAME}:{nginx.port}"
    sent = {**FORM, **forged, "Cookie": cookie, "Referer": f"{origin}{PREFIX}/login"}
    return ask(nginx, "POST", "/login", address, (urlencode(fields), sent))[0]


def slow_clients(nginx: Nginx, stack: ExitStack) -> list[socket.socket]:
    """Connections without a handshake, and heads and bodies that do not end."""
    head = f"POST {PREFIX}/login HTTP/1.1\r\nHost: {NAME}\r\n".encode()
    context = ssl.create_default_context(cafile=str(nginx.authority))
    clients: list[socket.socket] = []
    for number in range(SLOW):
        source = (f"127.0.1.{number % 4 + 1}", 0)
        address = ("127.0.0.1", nginx.port)
        client = stack.enter_context(socket.create_connection(address, 30, source))
        if number % 2:
            client = stack.enter_context(context.wrap_socket(client, server_hostname=NAME))
            client.sendall(head + (b"Content-Length: 5000\r\n\r\n" if number % 4 == 1 else b"X: "))
        clients.append(client)
    return clients


def test_nginx_holds_slow_clients_counts_logins_and_believes_no_visitor(
    nginx: Nginx, services: Services
) -> None:
    assert log_in_wrongly(nginx, "127.0.0.5") == 200
    refused = [event for event in access_events(services) if event["kind"] == "access.login_failed"]
    assert [event["address"] for event in refused] == ["127.0.0.5"]

    assert ask(nginx, "GET", "/runs/", "127.0.0.6")[1]["Location"].startswith(f"{PREFIX}/login")
    plain = http.client.HTTPConnection("127.0.0.1", nginx.plain, timeout=30)
    with closing(plain):
        plain.request("GET", f"{PREFIX}/login")
        assert plain.getresponse().headers["Location"] == f"https://{NAME}{PREFIX}/login"

    logins = [ask(nginx, "POST", "/login", "127.0.0.7", ("", FORM))[0] for _ in range(40)]
    assert set(logins) == {400, 429}
    assert ask(nginx, "POST", "/login", "127.0.0.8", ("", FORM))[0] == 400
    assert ask(nginx, "GET", "/login", "127.0.0.7")[0] == 200
    too_long = "a" * 1_100_000
    assert ask(nginx, "POST", "/preferences", "127.0.0.8", (too_long, FORM))[0] == 413

    with ExitStack() as stack:
        clients = slow_clients(nginx, stack)
        dribble(clients[1::2])
        times = {path: seconds(nginx, path) for path in ("/healthz", "/login")}
    assert (times["/healthz"] < 1, times["/login"] < 2) == (True, True), times
