"""kombu's transports for Redis and Redis Sentinel, with claiming channels."""

from typing import Any

from kombu.transport import redis

from scheduler.worker.transport.channel import Channel, SentinelChannel


class Poller(redis.MultiChannelPoller):
    """kombu's poller, for channels that wait for announcements.

    A reply to a claim is always read: the message in the reply is taken. kombu leaves a reply in
    its socket while the worker has no room for the message.
    """

    def on_poll_init(self, poller: Any) -> None:
        """Use the worker's event loop.

        Unlike kombu, nothing is given back yet: after an outage workers first have time to renew
        leases and claims.
        """
        self.poller = poller

    def on_poll_start(self) -> None:
        """Let each channel with room for a message ask for a message."""
        for channel in self._channels:
            if channel.active_queues and channel.qos.can_consume():
                self._register_BRPOP(channel)
            if channel.active_fanout_queues:
                self._register_LISTEN(channel)

    def on_readable(self, fileno: int) -> Any:
        """Read data that has arrived on a socket."""
        channel, kind = self._fd_to_chan.get(fileno, (None, None))
        if channel is None or kind != "BRPOP":
            return super().on_readable(fileno)
        return channel.handlers[kind]()

    def _register_BRPOP(self, channel: Any) -> None:
        """Connect the channel, and let it claim when due."""
        place = channel, channel.client, "BRPOP"
        if not self._client_registered(*place):
            channel._in_poll = None
            self._register(*place)
        if not channel._in_poll and channel.is_due:
            channel._brpop_start()


class Transport(redis.Transport):
    """The claiming transport for `redis://` and `rediss://`."""

    Channel = Channel

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cycle = Poller()


class SentinelTransport(redis.SentinelTransport):
    """The claiming transport for `sentinel://`."""

    Channel = SentinelChannel

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cycle = Poller()


def claiming(transport: type[Any]) -> type[Any] | None:
    """Return the claiming transport for kombu's; None for a transport without Redis."""
    if issubclass(transport, redis.SentinelTransport):
        return SentinelTransport
    return Transport if issubclass(transport, redis.Transport) else None
