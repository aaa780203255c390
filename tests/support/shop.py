"""A user's Flask application with jobs of its own.

Does not use Beatdesk: the jobs are plain `@shared_task` functions that use the application like
views.
"""

import os
from typing import Any

from celery import shared_task
from flask import Flask, current_app, url_for
from sqlalchemy import create_engine, text
from sqlalchemy.orm import scoped_session, sessionmaker

made: list[int] = []
removed: list[int] = []
session = scoped_session(sessionmaker(create_engine("sqlite://")))


def create_app() -> Flask:
    """The application; its sessions are removed with its context, as Flask-SQLAlchemy does."""
    app = Flask("shop")
    app.config["GREETING"] = "hello"
    app.add_url_rule("/orders/<int:number>", "order", str)
    made.append(os.getpid())

    @app.teardown_appcontext
    def remove(_error: BaseException | None) -> None:
        if session.registry.has():
            removed.append(os.getpid())
        session.remove()

    return app


@shared_task(name="shop.link")
def link(number: int, fail: bool = False) -> dict[str, Any]:
    """Use configuration, links and the database."""
    was_clean = not session.registry.has()
    session.execute(text("select 1"))
    if fail:
        raise ValueError("no such order")
    return {
        "greeting": current_app.config["GREETING"],
        "url": url_for("order", number=number, _external=True),
        "was_clean": was_clean,
        "pid": os.getpid(),
        "made": made,
        "removed": len(removed),
    }
