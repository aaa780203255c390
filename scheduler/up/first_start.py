"""What an empty folder gets: tables, examples, an administrator. Each is done once and found again
later.
"""

import logging

from scheduler.accounts.policy import Account
from scheduler.clock import utc_now
from scheduler.health.doctor import refuse_eviction
from scheduler.history import schema_version
from scheduler.services.services import Services

log = logging.getLogger(__name__)


class FirstStart:
    """The steps between the children of one start."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._is_first = False

    def tables(self) -> None:
        """Bring the database to this version's step, and see whether anybody was here before.

        Before that, the server that schedules are to live in must be one that keeps them.
        """
        refuse_eviction(self._services)
        schema_version.upgrade(self._services.engine)
        self._is_first = not self._services.accounts.list()

    def examples(self) -> None:
        """Schedules that do real work, so that there is something to see. Not in production, and
        not twice.
        """
        if not self._is_first or self._services.settings.environment == "production":
            return
        from scheduler.up.examples import install_examples

        install_examples(self._services.schedules, utc_now())
        log.info(
            "example schedules are installed; delete them in the console when you have seen them"
        )

    def admin(self) -> Account | None:
        """The first administrator, none where there are accounts. Last of all: the password is
        shown only once.
        """
        return self._services.accounts.ensure_admin(now=utc_now())
