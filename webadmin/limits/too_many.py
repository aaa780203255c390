"""The answer to a login that has to wait: 429, with the seconds to wait, as a page or as JSON."""

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from webadmin.errors import page


class TooManyLogins(TooManyRequests):
    """A login has to wait before a password is judged.

    `title` and `text` are for people; `reason` is a word for the log: `address`, `account`,
    `device`, `code`, `all`, `busy`. `retry_after` is in seconds.
    """

    retry_after: int

    def __init__(self, title: str, text: str, *, retry_after: int, reason: str) -> None:
        super().__init__(text, retry_after=retry_after)
        self.title = title
        self.text = text
        self.reason = reason


def install(app: Flask) -> None:
    """Register the handler of TooManyLogins."""
    app.register_error_handler(TooManyLogins, show)


def show(error: TooManyLogins) -> ResponseReturnValue:
    """Return the answer 429: JSON to who sent JSON, else a page."""
    headers = {"Retry-After": str(error.retry_after)}
    remedy = f"Wait {_duration(error.retry_after)}, then try again."
    if request.is_json:
        return jsonify(error=f"{error.title}. {error.text} {remedy}", field=None), 429, headers
    return page(429, error.title, error.text, remedy, bare=True, headers=headers)


def _duration(seconds: int) -> str:
    if seconds < 100:
        return "a second" if seconds == 1 else f"{seconds} seconds"
    minutes = (seconds + 59) // 60
    return f"{minutes} minutes"
