"""Which errors of SQL mean that the server cannot serve, as against a fault of ours."""

from sqlalchemy.exc import DBAPIError, TimeoutError

from scheduler.history import driver_errors


def reason(error: BaseException) -> str | None:
    """Why the database cannot do what is needed, in its own words; none where the error is no
    outage.
    """
    if isinstance(error, TimeoutError):
        return "all connections are in use"
    if not isinstance(error, DBAPIError) or error.orig is None:
        return None
    return driver_errors.outage(error.orig)
