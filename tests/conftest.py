"""Registers the fixtures of tests/support for every test, and how properties are tried."""

from hypothesis import settings

pytest_plugins = ["tests.support.fixtures"]

# The same examples in every run, and no deadline for one: a busy machine is no fault. Hangs end by
# pytest's timeout.
settings.register_profile("beatdesk", deadline=None, derandomize=True)
settings.load_profile("beatdesk")
