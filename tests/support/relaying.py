"""A relay in a process of its own, to be killed: `python -m tests.support.relaying <token>`;
settings as for Beat.
"""

import sys

from redis import Redis

from scheduler.celery_app.app import create_app
from scheduler.publishing.relay import Relay
from scheduler.settings.environment import load
from scheduler.storage import keys


def main() -> None:
    """Relay until another Beat holds the lock."""
    settings = load()
    app = create_app(settings)
    with Redis.from_url(settings.redis_url, decode_responses=True) as redis:
        Relay(app, redis, keys.BEAT_LOCK, sys.argv[1]).run()


if __name__ == "__main__":
    main()
