"""Which runs have a row in the history. Reads only."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from scheduler.history.connecting import in_parts
from scheduler.history.models import Run


def recorded(connection: Connection, run_ids: Sequence[str]) -> set[str]:
    """Return the ids of recorded runs among the given ids."""
    found: set[str] = set()
    for part in in_parts(run_ids):
        found.update(connection.execute(select(Run.id).where(Run.id.in_(part))).scalars())
    return found
