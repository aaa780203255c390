"""Unit tests are pure: a test that opens a socket fails."""

import pytest


@pytest.fixture(autouse=True)
def _sockets_are_blocked(socket_disabled: None) -> None:
    """Everything in this folder runs without the network, the loopback address among it."""
