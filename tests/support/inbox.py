"""A worker's channel to its broker, without a worker: takes messages, and keeps what it took."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.worker.transport.redis import claiming
from tests.support.waiting import wait_for


class Inbox:
    """Messages that came by one channel."""

    def __init__(self, connection: Any, claimant: str, queues: list[str], prefetch: int) -> None:
        self.connection = connection
        self.channel = connection.default_channel
        self.channel.claimant = claimant
        self.channel.basic_qos(0, prefetch, False)
        self.messages: list[Any] = []
        self._consumer = connection.Consumer(
            [connection.SimpleQueue(name).queue for name in queues],
            channel=self.channel,
            on_message=self.messages.append,
            accept=["json"],
            auto_declare=False,
        )
        self._consumer.consume()

    def take(self, seconds: float = 10) -> Any:
        """The next message."""
        count = len(self.messages)

        def has_come() -> bool:
            self.look()
            return len(self.messages) > count

        wait_for(has_come, seconds, "a message comes", every=0.01)
        return self.messages[count]

    def look(self) -> None:
        """Take a message, if there is one."""
        try:
            self.connection.drain_events(timeout=0.05)
        except TimeoutError:
            return


@contextmanager
def inbox(
    app: BeatdeskApp,
    claimant: str = "",
    queues: tuple[str, ...] = ("default",),
    prefetch: int = 0,
    *,
    is_claiming: bool = True,
) -> Iterator[Inbox]:
    """An inbox, closed at the end as a worker closes it; `is_claiming` False is kombu's own."""
    connection: Any = app.connection_for_read()
    if is_claiming:
        connection.transport_for = claiming
    with connection:
        yield Inbox(connection, claimant, list(queues), prefetch)
