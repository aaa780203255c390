"""Connections to the broker, whose transport a worker's consumer may replace by its own.

Only the connection from which a worker takes messages claims them; all others publish, and are
kombu's own.
"""

from collections.abc import Callable
from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection


class BrokerConnection(Connection):
    """kombu's connection, with another transport of the same address where one is set."""

    transport_for: Callable[[type[Any]], type[Any] | None] | None = None
    """Returns the transport in place of kombu's, or None to keep it. Set before connecting."""

    def get_transport_cls(self) -> Any:
        """The class of the transport."""
        usual = super().get_transport_cls()
        return usual if self.transport_for is None else self.transport_for(usual) or usual


class ReplaceableAMQP(AMQP):
    """Celery's sender of messages, with `BrokerConnection` as the class of its connections."""

    Connection = BrokerConnection
