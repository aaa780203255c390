"""Gunicorn believes no header about proxies: `webadmin.front` reads them, by the settings."""

from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import RequestParser

from webadmin.sockets.trust import distrust_headers

REQUEST = b"""GET /runs/ HTTP/1.1\r
Host: localhost\r
SCRIPT_NAME: /evil\r
PATH_INFO: /evil\r
X-Forwarded-Proto: https\r
\r
"""


@pytest.mark.parametrize("peer", [("127.0.0.1", 4711), ""])
def test_gunicorn_takes_neither_path_nor_scheme_from_a_header(peer: Any) -> None:
    distrust_headers()
    request: Any = next(RequestParser(Config(), iter([REQUEST]), peer))
    assert [name for name, _ in request.headers] == ["HOST", "X-FORWARDED-PROTO"]
    assert (request.scheme, request.path) == ("http", "/runs/")
