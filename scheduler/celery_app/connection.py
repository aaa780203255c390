"""Connections to the broker, with a transport that a worker's consumer may replace.

Only the connection from which a worker takes messages claims messages; all others publish, by
kombu's own transport.
"""

from collections.abc import Callable
from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection

from scheduler.storage.addresses.masking import without_password


class BrokerConnection(Connection):
    """kombu's connection, with another transport for the address where a replacement is set."""

    transport_for: Callable[[type[Any]], type[Any] | None] | None = None
    """Returns the transport in place of kombu's; None keeps kombu's. Set before connecting."""

    def get_transport_cls(self) -> Any:
        """The class of the transport."""
        usual = super().get_transport_cls()
        return usual if self.transport_for is None else self.transport_for(usual) or usual

    def as_uri(self, include_password: bool = False, *options: Any, **named: Any) -> str:
        """Return the address, for logs and banners without the password of a socket too.

        kombu 5.7 takes the login of `redis+socket://` for a part of the host.
        """
        address = str(super().as_uri(include_password, *options, **named))
        return address if include_password else without_password(address)


class ReplaceableAMQP(AMQP):
    """Celery's sender of messages, with connections of the class `BrokerConnection`."""

    Connection = BrokerConnection
