"""A Flask application with a Celery app of its own, made by its factory and set as the default, as
Flask's documentation shows it.

`SHOP_BROKER` is the address of its broker.
"""

import os

from celery import Celery, chain, shared_task
from celery import current_app as current_celery
from flask import Flask, current_app

COLOUR = "green"


def create_app() -> Flask:
    """The application, with its Celery app as an extension."""
    app = Flask("shop")
    app.config["COLOUR"] = COLOUR
    queue = Celery("shop", broker=os.environ["SHOP_BROKER"])
    queue.conf.task_ignore_result = True
    queue.set_default()
    app.extensions["celery"] = queue
    return app


@shared_task(name="shop.child")
def child(number: int = 0) -> str:
    """Use the application's configuration."""
    return f"child {number} is {current_app.config['COLOUR']}"


@shared_task(name="shop.parent")
def parent(number: int = 1) -> dict[str, str]:
    """Send a child. Returns its id, and the name of the app that sent it."""
    return {"child": str(child.delay(number).id), "app": str(current_celery.main)}


@shared_task(name="shop.pipe")
def pipe(number: int = 1) -> dict[str, str]:
    """Send two children, one after the other. Returns their ids."""
    last = chain(child.si(number), child.si(number + 1)).apply_async()
    return {"first": str(last.parent.id), "last": str(last.id)}
