"""The first start in an empty folder: tables, examples, an administrator, each made once."""

import logging

from scheduler.accounts.policy import Account
from scheduler.clock import utc_now
from scheduler.health.doctor import refuse_eviction
from scheduler.history import identity, schema_version
from scheduler.services.services import Services

log = logging.getLogger(__name__)


class FirstStart:
    """Steps between the starts of the children."""

    def __init__(self, services: Services, *, adopts_history: bool = False) -> None:
        """`adopts_history` makes the database the history, whichever was before."""
        self._services = services
        self._adopts_history = adopts_history
        self._is_first = False

    def tables(self) -> None:
        """Migrate the database to this version, and remember whether there are accounts.

        Raises Refused first where Redis remembers another history, and, in production, where the
        Redis server evicts keys.
        """
        refuse_eviction(self._services)
        if not self._adopts_history:
            identity.refuse_new_tables(self._services.engine, self._services.redis)
        schema_version.upgrade(self._services.engine)
        if self._adopts_history:
            identity.adopt(self._services.engine, self._services.redis)
        self._is_first = not self._services.accounts.list()

    def examples(self) -> None:
        """Create the example schedules, at the first start and not in production."""
        if not self._is_first or self._services.settings.environment == "production":
            return
        from scheduler.up.examples import install_examples

        install_examples(self._services.schedules, utc_now())
        log.info(
            "example schedules are installed; delete them in the console when you have seen them"
        )

    def admin(self) -> Account | None:
        """Create the first administrator; None where there are accounts. The last step of a start,
        because the password is shown only once.
        """
        return self._services.accounts.ensure_admin(now=utc_now())
