"""What one request may cost, by endpoint.

table     seconds of wall and of processor time, and for the answers of Redis
waiting   the time for Redis: all questions of a request share it
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def install(app: "Flask") -> None:
    """Give every request of the app its budget."""
    from webadmin.budgets import waiting

    waiting.install(app)
