"""The gunicorn worker of the console: one loop reads and sends, threads only compute.

Stock gthread gives each new connection to a thread, which waits there for the client. Here a
request reaches a thread when all of it has arrived, an answer leaves the thread as soon as it is
written, and the loop does the waiting: for requests, for slow readers, and for the end of time.
See docs/decisions/sockets.md.

    gunicorn --worker-class webadmin.sockets.worker.PatientWorker --threads 16 …
"""

import errno
import resource
import selectors
import socket
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from gunicorn import util
from gunicorn.config import Config
from gunicorn.errors import ConfigError
from gunicorn.glogging import Logger
from gunicorn.http import RequestParser
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from webadmin.sockets.arrival import Stage
from webadmin.sockets.connection import Connection, Phase, Times
from webadmin.sockets.outgoing import Outgoing, Writers

MEMORY = 64_000_000
"""Bytes of requests and answers that wait for clients; beyond it the oldest connections end."""

ACCEPTS = 64
"""New connections in one turn of the loop."""

SWEEP = 0.25
"""Seconds between two looks at all deadlines."""

HEALTH = (b"GET /healthz HTTP/", b"HEAD /healthz HTTP/")
"""Requests that have a thread of their own."""

REFUSALS = {
    Stage.HEAD: b"408 Request Timeout",
    Stage.BODY: b"408 Request Timeout",
    Stage.LONG_HEAD: b"431 Request Header Fields Too Large",
    Stage.LONG_BODY: b"413 Content Too Large",
}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class PatientWorker(ThreadWorker):
    """A worker whose threads never wait for a client."""

    times = Times()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cfg.set("sendfile", False)  # it would write to the socket past `Outgoing`
        self.worker_connections = most_connections(
            self.worker_connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        )
        self._writers = Writers(max(1, self.cfg.threads // 2))
        self._health = ThreadPoolExecutor(1, "health")
        self._connections: set[Connection] = set()
        self._next_sweep = 0.0

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        """Refuse what this worker does not do. Raises ConfigError with the remedy."""
        if cfg.is_ssl:
            raise ConfigError(
                "this worker speaks no TLS: let a reverse proxy do it (config/nginx/beatdesk.conf)"
            )
        if cfg.proxy_protocol != "off":
            raise ConfigError(
                "this worker reads no PROXY protocol: let the proxy send X-Forwarded-For, and "
                "name it in BEATDESK_TRUSTED_PROXIES"
            )

    # The loop

    def accept(self, listener: socket.socket) -> None:
        """Accept new connections, at most ACCEPTS of them."""
        for _ in range(ACCEPTS):
            try:
                raw, client = listener.accept()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self._end_oldest()
                    return
                if error.errno in (errno.EAGAIN, errno.ECONNABORTED, errno.EINTR):
                    return
                raise
            self._begin(raw, client, listener.getsockname())
            if self.nr_conns >= self.worker_connections and not self._end_oldest():
                return

    def murder_pending(self) -> None:
        """End connections whose time is over; gunicorn's loop calls it after each turn."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP
        for conn in list(self._connections):
            if conn.sock.is_closed:
                self._close(conn)
            elif conn.deadline is not None and now > conn.deadline:
                self._end_late(conn, now)
            elif conn.takes_too_long(now):
                self._close(conn)
        while sum(conn.size for conn in self._connections) > MEMORY:
            if not self._end_oldest():
                break

    def murder_keepalived(self, force: bool = False) -> None:
        """End all connections, if forced; `murder_pending` ends those that are idle."""
        if force:
            for conn in list(self._connections):
                self._close(conn)
            self._health.shutdown(wait=False)

    def _cap_keepalive(self, deadline: float) -> None:
        """Shorten the time for requests that have not arrived, as the worker stops."""
        for conn in self._connections:
            if conn.phase in (Phase.READING, Phase.LEAVING) and conn.deadline is not None:
                conn.deadline = min(conn.deadline, deadline)

    def _begin(self, raw: socket.socket, client: Any, server: Any) -> None:
        raw.setblocking(False)
        conn: Connection
        sock = Outgoing(raw, self._writers, lambda: self.method_queue.defer(self._send, conn))
        conn = Connection(raw, sock, client, server, self.times)
        conn.enter(Phase.READING, time.monotonic(), self.times.head)
        self.nr_conns += 1
        self._connections.add(conn)
        self._listen(conn, selectors.EVENT_READ)

    def _listen(self, conn: Connection, events: int) -> None:
        """Wait for these events of the connection's socket; 0 for none."""
        if events == conn.events or conn.phase is Phase.CLOSED:
            return
        if not events:
            self.poller.unregister(conn.raw)
        elif conn.events:
            self.poller.modify(conn.raw, events, partial(self._on_ready, conn))
        else:
            self.poller.register(conn.raw, events, partial(self._on_ready, conn))
        conn.events = events

    def _on_ready(self, conn: Connection, sock: socket.socket) -> None:
        """Go on with a connection whose socket is ready."""
        if conn.phase is Phase.READING:
            stage = conn.read(time.monotonic())
            if stage is None:
                self._close(conn)
            else:
                self._go_on(conn, stage)
        elif conn.phase is Phase.LEAVING:
            if not conn.drop_arrivals():
                self._close(conn)
        elif conn.phase is not Phase.CLOSED:
            self._send(conn)

    def _go_on(self, conn: Connection, stage: Stage) -> None:
        """Wait for more of a request, answer it, or refuse it."""
        if stage in (Stage.WHOLE, Stage.DOUBTFUL):
            self._serve(conn)
        elif stage in (Stage.LONG_HEAD, Stage.LONG_BODY):
            self._refuse(conn, REFUSALS[stage])
        elif conn.arrival.waits_for_continue and not conn.was_encouraged:
            conn.was_encouraged = True
            self._write(conn, CONTINUE)

    def _serve(self, conn: Connection) -> None:
        """Give a request to a thread."""
        self._listen(conn, 0)
        conn.enter(Phase.SERVING, time.monotonic(), None)
        is_health = conn.arrival.data.startswith(HEALTH)
        pool = self._health if is_health and not conn.arrival.body_length else self.tpool
        future = pool.submit(self._answer, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self._settle, conn, done))

    def _settle(self, conn: Connection, done: Future[None]) -> None:
        """Go on after an answer: send the rest, wait for another request, or leave."""
        if conn.phase is Phase.CLOSED:
            return
        if conn.sock.is_closed or done.cancelled() or done.exception() is not None:
            self._close(conn)
            return
        conn.enter(Phase.SENDING, time.monotonic(), None)
        conn.begin_sending(conn.since)
        self._send(conn)

    def _send(self, conn: Connection) -> None:
        """Send what waits. After the last byte of an answer, go on or leave."""
        if conn.phase is Phase.CLOSED:
            return
        if not conn.events:
            conn.begin_sending(time.monotonic())
        try:
            rest = conn.sock.flush()
        except BrokenPipeError:
            self._close(conn)
            return
        if rest:
            self._listen(conn, selectors.EVENT_WRITE)
        elif conn.phase is Phase.SENDING:
            self._finish(conn)
        else:
            self._listen(conn, 0)

    def _finish(self, conn: Connection) -> None:
        """Wait for the next request, or leave."""
        now = time.monotonic()
        if not conn.stays:
            self._leave(conn, now)
            return
        seconds = min(self.cfg.keepalive, self.times.head if self.alive else self.times.leaving)
        rest = conn.rest
        conn.renew()
        conn.enter(Phase.READING, now, seconds)
        self._listen(conn, selectors.EVENT_READ)
        if rest:
            self._go_on(conn, conn.take(rest, now))

    def _refuse(self, conn: Connection, status: bytes) -> None:
        """Answer with a status alone, and leave."""
        answer = b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status
        if self._write(conn, answer):
            self._leave(conn, time.monotonic())

    def _write(self, conn: Connection, data: bytes) -> bool:
        """Send a few bytes of the loop's own. Returns False where they cannot be sent at once."""
        try:
            conn.sock.sendall(data)
        except BrokenPipeError:
            self._close(conn)
            return False
        if conn.sock.waiting:
            self._close(conn)
            return False
        return True

    def _leave(self, conn: Connection, now: float) -> None:
        """End the connection so that the client can read the answer first."""
        if not self.alive or not conn.end_sending():
            self._close(conn)
            return
        conn.renew()
        conn.enter(Phase.LEAVING, now, self.times.leaving)
        self._listen(conn, selectors.EVENT_READ)

    def _end_late(self, conn: Connection, now: float) -> None:
        """End a connection whose time is over; who has begun a request gets an answer."""
        refusal = REFUSALS.get(conn.arrival.stage)
        if conn.phase is Phase.READING and refusal is not None:
            self._refuse(conn, refusal)
        else:
            self._close(conn)

    def _end_oldest(self) -> bool:
        """End the connection that waits longest, of the address that has most of those that wait.

        Returns False where no connection waits for its client.
        """
        waiting = [conn for conn in self._connections if conn.is_waiting]
        if not waiting:
            return False
        most = Counter(conn.address for conn in waiting)
        address = max(most, key=most.__getitem__)
        candidates = (conn for conn in waiting if conn.address == address)
        self._close(min(candidates, key=lambda conn: conn.since))
        return True

    def _close(self, conn: Connection) -> None:
        if conn.phase is Phase.CLOSED:
            return
        self._listen(conn, 0)
        conn.phase = Phase.CLOSED
        conn.sock.release()
        self._connections.discard(conn)
        self.nr_conns -= 1

    # In a thread

    def _answer(self, conn: Connection) -> None:
        """Answer a request. Sets whether the connection stays, and what had arrived beyond it."""
        conn.stays = False
        request: Any = None
        try:
            source = filter(None, (conn.arrival.head, conn.arrival.body))
            parser = RequestParser(self.cfg, source, conn.client)
            request = next(parser)
            request._expected_100_continue = False  # the loop has answered that
            stays = self.handle_request(request, _as_tconn(conn))
            if stays and conn.arrival.stage is Stage.WHOLE:
                conn.stays = _skip_body(parser)
                conn.rest = parser.unreader.take_buffered()
        except (NoMoreData, StopIteration, BrokenPipeError) as error:
            self.log.debug("A connection ends early. %s", error)
            if request is None:
                util.write_error(_as_tconn(conn).sock, 400, "Bad Request", "")
        except Exception as error:  # noqa: BLE001 - gunicorn's own answer to errors and bad requests
            self.handle_error(request, _as_tconn(conn).sock, conn.client, error)


def _skip_body(parser: RequestParser) -> bool:
    """Skip what the application did not read. Returns False where a fault is in it: after that,
    nobody knows where the next request begins.
    """
    try:
        parser.finish_body()
    except (ParseException, OSError):
        return False
    return True


def most_connections(wanted: int, open_files: int) -> int:
    """Return how many connections a process may hold with a limit of open files.

    A quarter of the files is for databases, logs and the like.
    """
    if open_files == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, open_files * 3 // 4))


def _as_tconn(conn: Connection) -> TConn:
    """Return the connection by the name of gunicorn's class, of which `sock`, `client` and
    `server` are used (gunicorn 27.0.1).
    """
    return cast(TConn, conn)
