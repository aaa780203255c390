"""Refusals before the application: one line of text, for programs and for people."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


def refusal(
    code: int,
    text: str,
    start_response: "StartResponse",
    headers: Iterable[tuple[str, str]] = (),
) -> list[bytes]:
    """Start the response with the status and return its body: `text` as one line."""
    body = f"{text}\n".encode()
    start_response(
        f"{code} {HTTPStatus(code).phrase}",
        [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *headers,
        ],
    )
    return [body]
