"""Readers of requests, and of the texts in pages: forms, filters, headers, cookies."""

from collections.abc import Callable
from typing import Any

from flask import Flask, request, session
from werkzeug.datastructures import MultiDict

from scheduler.accounts.policy import as_stored
from scheduler.catalogue.records import Parameter
from scheduler.errors import BeatdeskError
from scheduler.settings.schema import Settings
from scheduler.terminal_text import visible, visible_json, visible_lines
from tests.fuzz.reader import Reader, of_bytes
from tests.fuzz.rule_readers import BERLIN, NOW
from webadmin import guard, parsed_filters, preferences, present, templating
from webadmin.access import token_header
from webadmin.counting import names
from webadmin.forms import arguments, fields, filters, json_text, sentences, times
from webadmin.forms.faults import Fault
from webadmin.forms.schedule import ScheduleForm
from webadmin.front import hosts, lengths, proxies
from webadmin.help import pages
from webadmin.limits import devices
from webadmin.sockets import arrival

FAULTS = (BeatdeskError, Fault, ValueError)
APP = Flask("fuzz", static_folder=None)
APP.config.update(SECRET_KEY="fuzz" * 8)

PROXIES = proxies.Proxies(lambda *_: [], Settings(trusted_proxies=("127.0.0.1",)))
FORM_FIELDS = tuple(field.short_name for field in ScheduleForm.blank("UTC"))
KINDS = ("str", "int", "float", "bool", "Literal['a', 1]", "list[int]")


def with_header(name: str, read: Callable[[], Any]) -> Callable[[str], None]:
    """Return a reader of a request whose header `name` is the text."""

    def reader(text: str) -> None:
        header = text.encode("latin-1", "replace").decode("latin-1")
        with APP.test_request_context(environ_overrides={name: header}):
            read()

    return reader


def read_form(text: str) -> None:
    """Read a schedule's form with the text in every field."""
    for kind in ("crontab", "interval", "once", "rrule"):
        given = MultiDict({**dict.fromkeys(FORM_FIELDS, text), "kind": kind})
        ScheduleForm.sent(given, lambda _: None).read()
        ScheduleForm.sent(given | {"timezone": "Europe/Berlin"}, lambda _: None).read()


def read_parameter(text: str) -> None:
    """Read the text for a parameter of each kind."""
    for kind in KINDS:
        parameter = Parameter(name="p", annotation=kind)
        try:
            arguments.value(parameter, text)
        except ValueError:
            continue


def read_parameters(text: str) -> None:
    """Show the widget of a parameter that a worker has published."""
    parameter = Parameter(name="p", annotation=text)
    arguments.widget(parameter)
    arguments.bounds(parameter)


def read_filters(text: str) -> None:
    """Read the filters of the lists of runs and of schedules."""
    filters.wanted({"q": text, "tag": text, "state": text, "job": text})
    parsed_filters.parse_filters(dict.fromkeys(parsed_filters.FILTERS, text), NOW, BERLIN)


def read_forwarded(header: str) -> None:
    """Correct a request by a header of a trusted proxy."""
    environ = {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http"}
    environ |= dict.fromkeys(proxies.FORWARDED, header)
    PROXIES(environ, lambda *_: lambda _: None)


def read_cookies() -> None:
    """Read the cookies of a request: device, session, preferences."""
    devices.known_device("ann@example.org")
    _ = dict(session)
    preferences.chosen("theme")


def read_authorization() -> None:
    """Read the token of a request."""
    token_header.presented(request)


def shown(text: str) -> None:
    """Show a text in a page."""
    present.first_line(text)
    present.unwrapped(text)
    present.pretty(text)
    templating.coded(text)
    sentences.sentence(text)


def on_terminal(text: str) -> None:
    """Show a text on a terminal."""
    visible(text)
    visible_lines(text)
    visible_json(text)


def read_link(text: str) -> None:
    """Find the document behind a link of the help."""
    pages.target_of("how-to/use-flask", text)
    pages.slug(text)


def read_request(data: bytes) -> None:
    """Read bytes of a socket, in one piece and in two."""
    arrival.Arrival().feed(data)
    pieces = arrival.Arrival()
    pieces.feed(data[: len(data) // 2])
    pieces.feed(data[len(data) // 2 :])


CONSOLE: dict[str, Reader] = {
    "webadmin.sockets.arrival": Reader(
        of_bytes(read_request),
        (
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        ),
        arrival.LARGEST_HEAD + 10_000,
        (),
    ),
    "webadmin.forms.json_text": Reader(
        json_text.parse, ('{"a": [1, {"b": null}]}',), 200_000, FAULTS
    ),
    "webadmin.forms.schedule": Reader(
        read_form, ("0 3 * * *", "2026-11-23 06:00", "nightly", '{"a": 1}'), 20_000, seconds=1.0
    ),
    "webadmin.forms.arguments": Reader(
        read_parameter, ("7", "true", "[1, 2]", "secret://x"), arguments.LONGEST
    ),
    "webadmin.forms.arguments widget": Reader(
        read_parameters, ("typing.Literal['a', \"b\", 1]", "int | None"), 20_000
    ),
    "webadmin.forms.fields": Reader(fields.tags, ("a, b,c",), 20_000, FAULTS),
    "webadmin.forms.times": Reader(
        lambda text: times.read_moment(text, "at", "Europe/Berlin"),
        ("2026-11-23T06:00", "2026-11-23 06:00:00+01:00"),
        20_000,
        FAULTS,
    ),
    "webadmin.forms.times seconds": Reader(
        lambda text: times.read_seconds(text, "every"), ("90s", "1.5h"), 20_000, FAULTS
    ),
    "webadmin.parsed_filters": Reader(
        read_filters, ("24h", 'state:failed tag:"a b" x', "running"), lengths.QUERY_VALUE
    ),
    "webadmin.front.hosts": Reader(
        hosts.name_of, ("desk.example.org:8443", "[2001:db8::1]:80"), lengths.HEADERS
    ),
    "webadmin.front.proxies": Reader(
        read_forwarded, ("203.0.113.7, 127.0.0.1", "https", "[2001:db8::1]:80"), lengths.HEADERS
    ),
    "webadmin.front.lengths": Reader(
        lengths.is_too_deep, ('{"a": [1, "x\\"["]}',), lengths.LARGEST_BODY, seconds=1.0
    ),
    "webadmin.guard": Reader(guard.safe_path, ("/runs/?page=2",), lengths.QUERY_VALUE),
    "webadmin.counting.names": Reader(
        names.network_of, ("203.0.113.7", "2001:db8::1"), lengths.HEADERS
    ),
    "webadmin.limits.devices": Reader(
        with_header("HTTP_COOKIE", read_cookies),
        ("session_device=eyJpZCI6MX0.aa.bb; session=eyJhIjoxfQ.aa.bb; beatdesk_theme=dark",),
        lengths.HEADERS,
    ),
    "webadmin.access.token_header": Reader(
        with_header("HTTP_AUTHORIZATION", read_authorization),
        ("Bearer bd_abc", "Basic YTpi", 'Digest username="a", realm="b"'),
        lengths.HEADERS,
    ),
    "webadmin.access.outside": Reader(as_stored, ("Ann@example.org",), 4_096),
    "webadmin.present": Reader(shown, ("a `b` c", "first\n  second\n\nthird"), 50_000),
    "webadmin.help.pages": Reader(
        read_link, ("../reference/words.md#run", "https://example.org/"), 20_000, FAULTS
    ),
    "scheduler.terminal_text": Reader(on_terminal, ("a\x1b[31m b",), 200_000),
}
