"""Why a server cannot be used, by kind of error, with the remedy for each. Pure.

redis-py, kombu and py-amqp wrap the system's error in their own, so the whole chain of causes is
looked at. No client is imported: errors are judged by the names of their classes and by what the
server says.
"""

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Fault:
    """A kind of error, in words, and the remedy; `setting` in the remedy is the address's name."""

    kind: str
    words: str
    remedy: str

    def remedy_for(self, setting: str) -> str:
        """Return the remedy, with the name of the setting that has the address."""
        return self.remedy.format(setting=setting)


class _Chain(NamedTuple):
    """All errors of a chain of causes, and their texts in lower case."""

    errors: tuple[BaseException, ...]
    names: frozenset[str]
    text: str


OTHER = Fault("other", "cannot be used", "Start it, or set {setting} to one that runs")

_NOT_RESOLVED = Fault(
    "name",
    "the name of its host cannot be resolved",
    "Correct the host in {setting}, or mend the name service of this machine",
)
_REFUSED = Fault(
    "refused",
    "nothing listens at its port",
    "Start it, or correct host and port in {setting}",
)
_UNREACHABLE = Fault(
    "unreachable",
    "no route leads to its host",
    "Correct the host in {setting}, or open the network between",
)
_LOGIN = Fault(
    "login",
    "it refuses the login",
    "Correct user and password in {setting}; in them, percent-encode # / : ? @ and %",
)
_NO_LOGIN = Fault(
    "no login",
    "it asks for a login",
    "Put user and password into {setting}, as in redis://user:password@host",
)
_RIGHT = Fault(
    "right",
    "its login lacks a right",
    "Give the login of {setting} the right: config/redis-acl.conf has the rights of each process",
)
_HOSTNAME = Fault(
    "TLS host",
    "its certificate is for another host",
    "Use the name in its certificate as the host in {setting}, or give it one for this name",
)
_EXPIRED = Fault(
    "TLS expired",
    "its certificate has expired",
    "Renew the certificate of the server",
)
_UNTRUSTED = Fault(
    "TLS trust",
    "its certificate is not trusted",
    "Name the file of its certificate authority: ?ssl_ca_certs=FILE at the end of {setting}",
)
_CLIENT_CERTIFICATE = Fault(
    "TLS client",
    "it asks for a certificate of the client",
    "Name one: ?ssl_certfile=FILE&ssl_keyfile=FILE at the end of {setting}",
)
_NO_TLS_THERE = Fault(
    "TLS unexpected",
    "it does not speak TLS at this port",
    "Write redis:// (amqp:// for RabbitMQ) in {setting}, or name the port that speaks TLS",
)
_TLS_THERE = Fault(
    "TLS expected",
    "it closed the connection at the first word, as a port does that speaks TLS only",
    "Write rediss:// (amqps:// for RabbitMQ) in {setting} if the port speaks TLS; see its log",
)
_NOT_REDIS = Fault(
    "not Redis",
    "what answers there is not Redis",
    "Correct host and port in {setting}",
)
_DATABASE = Fault(
    "database",
    "it has no database of this number",
    "Correct the number behind the / in {setting}; most servers have 0 to 15",
)
_TIMEOUT = Fault(
    "time-out",
    "it does not answer in time",
    "See whether it hangs or is overloaded, and whether a firewall drops packets to {setting}",
)
_NO_SOCKET = Fault(
    "socket",
    "its socket, or a file of a certificate, does not exist",
    "Start it with `unixsocket`, or correct the paths in {setting}",
)
_SOCKET_RIGHTS = Fault(
    "socket rights",
    "this user may not open its socket, or a file of a certificate",
    "Let this user into the group of the socket (`unixsocketperm 770`), or correct {setting}",
)
_READ_ONLY = Fault(
    "read-only",
    "it is a read-only replica",
    "Name the primary in {setting}, or the Sentinels: sentinel://one:26379;sentinel://two:26379",
)
_LOADING = Fault("loading", "it is reading its data", "Wait until it has read them")
_FULL = Fault(
    "full",
    "it has no memory left",
    "Raise maxmemory, or remove what else is stored there",
)
_NO_PRIMARY = Fault(
    "no primary",
    "the Sentinels know no primary of this name",
    "Correct BEATDESK_REDIS_MASTER and the Sentinels in {setting}, and see their log",
)


def _has_os_error(*kinds: type[BaseException]) -> Callable[[_Chain], bool]:
    return lambda chain: any(isinstance(error, kinds) for error in chain.errors)


def _is_named(*names: str) -> Callable[[_Chain], bool]:
    return lambda chain: bool(chain.names & set(names))


def _says(pattern: str) -> Callable[[_Chain], bool]:
    compiled = re.compile(pattern)
    return lambda chain: compiled.search(chain.text) is not None


_KINDS: tuple[tuple[Callable[[_Chain], bool], Fault], ...] = (
    (_says(r"hostname mismatch|ip address mismatch|doesn't match"), _HOSTNAME),
    (_says(r"certificate has expired"), _EXPIRED),
    (_has_os_error(ssl.SSLCertVerificationError), _UNTRUSTED),
    (_says(r"certificate verify failed"), _UNTRUSTED),
    (
        _says(r"certificate[_ ]required|alert handshake failure|bad certificate"),
        _CLIENT_CERTIFICATE,
    ),
    (_says(r"wrong[_ ]version[_ ]number|unknown[_ ]protocol|record layer failure"), _NO_TLS_THERE),
    (_has_os_error(socket.gaierror), _NOT_RESOLVED),
    (_has_os_error(ConnectionRefusedError), _REFUSED),
    (_has_os_error(FileNotFoundError), _NO_SOCKET),
    (_has_os_error(PermissionError), _SOCKET_RIGHTS),
    (_says(r"network is unreachable|no route to host"), _UNREACHABLE),
    (_is_named("MasterNotFoundError", "SlaveNotFoundError"), _NO_PRIMARY),
    (
        _says(r"noauth|authentication required|called without any password|must be authenticated"),
        _NO_LOGIN,
    ),
    (_says(r"wrongpass|invalid password|invalid username-password|access[_ ]refused"), _LOGIN),
    (_is_named("AuthenticationError", "AccessRefused"), _LOGIN),
    (_is_named("NoPermissionError"), _RIGHT),
    (_says(r"noperm|no permissions to"), _RIGHT),
    (_says(r"db index is out of range|invalid db index|select is not allowed"), _DATABASE),
    (_says(r"can't write against a read only replica|readonly you"), _READ_ONLY),
    (_is_named("BusyLoadingError"), _LOADING),
    (_says(r"command not allowed when used memory|out of memory"), _FULL),
    (_is_named("InvalidResponse"), _NOT_REDIS),
    (_says(r"protocol error|invalid response|unexpected frame|bad frame"), _NOT_REDIS),
    (_says(r"unexpected[_ ]eof|eof occurred in violation"), _NO_TLS_THERE),
    (_has_os_error(TimeoutError), _TIMEOUT),
    (_is_named("TimeoutError"), _TIMEOUT),
    (_says(r"timed out|timeout"), _TIMEOUT),
    (_has_os_error(ConnectionResetError), _TLS_THERE),
    (_says(r"connection closed by server|connection reset by peer|server closed"), _TLS_THERE),
)
"""The kinds, the particular ones first."""


def fault_of(error: BaseException) -> Fault:
    """Return the kind of an error of redis-py, kombu or py-amqp; OTHER for one without a kind."""
    errors = tuple(_causes(error))
    chain = _Chain(
        errors,
        frozenset(kind.__name__ for each in errors for kind in type(each).__mro__),
        " ".join(str(each) for each in errors).lower(),
    )
    return next((fault for matches, fault in _KINDS if matches(chain)), OTHER)


def missing_right(error: BaseException) -> str | None:
    """Return what a login may not do, in the words of Redis: `run the 'get' command`."""
    for each in _causes(error):
        match = re.search(r"no permissions to (?P<what>.+)", str(each))
        if match:
            return match["what"].strip().removesuffix(".")[:200]
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, at most ten."""
    link: BaseException | None = error
    for _ in range(10):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__
