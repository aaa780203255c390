"""What the tests of the message audit share."""

from tests.support.runs.audited import audited

__all__ = ["audited"]
