"""The app with short leases and short claims, for tests of a worker that is not heard of:
`celery -A tests.support.short_times worker`.
"""

from tests.support import short_leases
from tests.support.impatient import app

__all__ = ["app", "short_leases"]
