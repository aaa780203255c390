"""Connections to the broker, with a transport that a worker's consumer may replace.

Only the connection from which a worker takes messages claims messages; all others publish, by
kombu's own transport.
"""

from collections.abc import Callable
from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection


class BrokerConnection(Connection):
    """kombu's connection, with another transport for the address where a replacement is set."""

    transport_for: Callable[[type[Any]], type[Any] | None] | None = None
    """Returns the transport in place of kombu's; None keeps kombu's. Set before connecting."""

    def get_transport_cls(self) -> Any:
        """The class of the transport."""
        usual = super().get_transport_cls()
        return usual if self.transport_for is None else self.transport_for(usual) or usual


class ReplaceableAMQP(AMQP):
    """Celery's sender of messages, with connections of the class `BrokerConnection`."""

    Connection = BrokerConnection
