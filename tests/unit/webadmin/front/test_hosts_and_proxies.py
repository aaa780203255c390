"""Names and addresses of requests: what is believed of them, from whom, and what is refused."""

from collections.abc import Callable
from socket import socket
from typing import Any

import pytest
from flask import Flask, jsonify, request

from scheduler.settings.errors import BadSettings
from scheduler.settings.schema import Settings
from webadmin import front
from webadmin.access.outside import peer_address
from webadmin.front.hosts import name_of
from webadmin.front.proxies import MOST_WARNINGS, Proxies

PROXY = "10.0.0.5"
VISITOR = "203.0.113.9"
FORGED = "198.51.100.1"


@pytest.fixture
def ask() -> Callable[..., Any]:
    """`ask(settings, host, peer, **headers)`: the answer of a console that repeats its request."""

    def ask(
        settings: dict[str, Any], host: str = "localhost", peer: str = "127.0.0.1", **headers: str
    ) -> Any:
        app = Flask("console")

        @app.get("/")
        @app.get("/healthz")
        def repeated() -> Any:
            return jsonify(
                address=request.remote_addr,
                peer=peer_address(),
                root=request.url_root,
                script=request.environ["SCRIPT_NAME"],
            )

        front.install(app, Settings(**settings))
        names = {f"HTTP_{name}": text for name, text in headers.items()}
        environ = {"REMOTE_ADDR": peer, "HTTP_HOST": host, "SCRIPT_NAME": "/evil", **names}
        return app.test_client().get(headers.get("path", "/"), environ_overrides=environ)

    return ask


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "LOCALHOST.", "desk.localhost", "127.0.0.1", "[::1]:80"]
)
def test_development_serves_loopback_names(ask: Callable[..., Any], host: str) -> None:
    assert ask({}, host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "10.0.0.9",
        "localhost:1@evil.example",
        "[x",
        "a..localhost",
        "localhost..",
        "a" * 64 + ".localhost",
        "a." * 130 + "localhost",
    ],
)
def test_a_name_that_is_not_of_the_console_is_refused(ask: Callable[..., Any], host: str) -> None:
    answer = ask({}, host)
    assert answer.status_code == 421
    assert "BEATDESK_ALLOWED_HOSTS" in answer.text


def test_a_probe_is_answered_under_any_name(ask: Callable[..., Any]) -> None:
    assert ask({}, "10.1.2.3", path="/healthz").status_code == 200


@pytest.mark.parametrize("host", ["..", "a..localhost", "[x", "a b", "\xe9"])
def test_a_probe_is_answered_where_the_name_is_none(ask: Callable[..., Any], host: str) -> None:
    assert ask({}, host, path="/healthz").status_code == 200


@pytest.mark.parametrize("host", ["xn--.localhost", "xn--9999999999.localhost"])
def test_a_label_that_stands_for_nothing_makes_no_name(host: str) -> None:
    assert name_of(host) == ""
    assert name_of("xn--mnchen-3ya.localhost:80") == "xn--mnchen-3ya.localhost"


def test_all_names_below_a_domain_can_be_allowed(ask: Callable[..., Any]) -> None:
    settings = {"allowed_hosts": (".example.org",)}
    assert ask(settings, "desk.example.org").status_code == 200
    assert ask(settings, "badexample.org").status_code == 421
    assert ask({"allowed_hosts": ("example.org",)}, "desk.example.org").status_code == 421


def test_an_address_can_be_called_where_the_console_listens_everywhere(
    ask: Callable[..., Any],
) -> None:
    settings = {"web_host": "::"}
    assert ask(settings, "192.168.1.7:8000").status_code == 200
    assert ask(settings, "evil.example").status_code == 421


def test_production_serves_named_hosts_only(ask: Callable[..., Any]) -> None:
    settings = {"environment": "production", "allowed_hosts": ("desk.example.org",)}
    assert ask(settings, "desk.example.org").status_code == 200
    assert ask(settings, "localhost").status_code == 421
    with pytest.raises(BadSettings, match="BEATDESK_ALLOWED_HOSTS"):
        ask({"environment": "production"})


HEADERS = {
    "X_FORWARDED_FOR": f"{FORGED}, {VISITOR}",
    "X_FORWARDED_PROTO": "https",
    "X_FORWARDED_HOST": "desk.example.org",
}


def test_a_trusted_proxy_is_believed(ask: Callable[..., Any]) -> None:
    settings = {"trusted_proxies": ("10.0.0.0/24",), "allowed_hosts": ("desk.example.org",)}
    found = ask(settings, "inner", PROXY, **HEADERS).json
    assert found == {
        "address": VISITOR,
        "peer": PROXY,
        "root": "https://desk.example.org/",
        "script": "",
    }


@pytest.mark.parametrize("trusted", [(), ("10.0.0.6",), ("unix",)])
def test_the_headers_of_all_others_are_ignored(
    ask: Callable[..., Any], trusted: tuple[str, ...]
) -> None:
    found = ask({"trusted_proxies": trusted}, "localhost", PROXY, **HEADERS).json
    assert found == {"address": PROXY, "peer": PROXY, "root": "http://localhost/", "script": ""}


def test_proxies_in_a_row_are_passed_over(ask: Callable[..., Any]) -> None:
    settings = {"trusted_proxies": (PROXY, "10.0.0.6")}
    row = {"X_FORWARDED_FOR": f"{FORGED}, {VISITOR}:4711, 10.0.0.6"}
    assert ask(settings, "localhost", PROXY, **row).json["address"] == VISITOR


def test_a_visitor_through_a_unix_socket_is_no_peer(ask: Callable[..., Any]) -> None:
    found = ask({"trusted_proxies": ("unix",)}, "localhost", "", X_FORWARDED_FOR=PROXY).json
    assert (found["address"], found["peer"]) == (PROXY, "")


def test_the_scheme_is_that_of_the_connection_whatever_a_header_told_the_server() -> None:
    schemes = []
    with socket() as plain:
        environ = {"REMOTE_ADDR": VISITOR, "wsgi.url_scheme": "https", "gunicorn.socket": plain}

        def application(environ: dict[str, Any], _start: Any) -> list[bytes]:
            schemes.append(environ["wsgi.url_scheme"])
            return []

        Proxies(application, Settings())(environ, lambda *_: lambda _: None)
    assert schemes == ["http"]


def test_a_proxy_without_a_setting_is_named_once_and_few_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    proxies = Proxies(lambda _environ, _start: [], Settings())
    for number in [*range(MOST_WARNINGS + 10), 0]:
        environ = {"REMOTE_ADDR": f"10.0.0.{number}", "HTTP_X_FORWARDED_FOR": VISITOR}
        proxies(environ, lambda *_: lambda _: None)
    named = [record.getMessage().split()[0] for record in caplog.records]
    assert named == [f"10.0.0.{number}" for number in range(MOST_WARNINGS)]


@pytest.mark.parametrize("prefix", ["desk", "/desk/", "//desk", "/a b", "/../desk", "/"])
def test_a_prefix_is_a_path_without_a_slash_at_its_end(prefix: str) -> None:
    with pytest.raises(ValueError, match="path_prefix"):
        Settings(path_prefix=prefix)
