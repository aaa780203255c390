"""Gunicorn believes no header about proxies, whatever started it; `webadmin.front` reads them.

By default gunicorn takes `SCRIPT_NAME` and `PATH_INFO` from headers of local clients and of all
clients of a Unix socket, and answers 500 where they do not fit the path.
"""

import sys
from typing import Any


def distrust_headers() -> None:
    """Let gunicorn treat each client as a stranger; without gunicorn nothing happens.

    `HeaderPolicy` is read in gunicorn 27.0.1. It returns the headers that a client may set: those
    of the scheme, and those with an underscore. Other headers with an underscore are dropped.
    """
    message = sys.modules.get("gunicorn.http.message")
    if message is not None:
        policy: Any = message.HeaderPolicy
        policy._peer_trusted_for_forwarded = _nothing


def _nothing(request: Any) -> tuple[dict[str, str], list[str]]:
    return {}, []
