"""Length limits of requests: everything is refused by its length before anything reads it.

What reads a text afterwards takes time in proportion to its length, or is bounded by a limit of
its own. So the limits here bound the work that one request can cause.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Response, abort, request
from flask.json.provider import JSONProvider

from webadmin.front.answers import refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_BODY = 1_000_000
"""Bytes of the largest body: a set of schedules, a calendar, or a form with arguments."""

LOGIN = 8_000
BUTTON = 100_000
"""Bytes of a form without long texts; 200 names with their revisions fit."""

PASSKEY = 25_000
"""Bytes of a form with an authenticator's answer: 8,000 characters, each at most 3 bytes."""

TUTORIAL = 4_096
ARGUMENTS = 500_000
"""Bytes of a form with arguments as JSON: 64 kB of them, each byte as three."""

BODIES = {
    "security.login": LOGIN,
    "security.logout": LOGIN,
    "second_step.show": LOGIN,
    "passkey_login.begin": LOGIN,
    "passkey_login.finish": PASSKEY,
    "preferences.save": LOGIN,
    "starter.start_task": TUTORIAL,
    "starter.signup": TUTORIAL,
    "runs.rerun": ARGUMENTS,
    "schedules.run": ARGUMENTS,
    "schedules.create": LARGEST_BODY,
    "schedules.edit": LARGEST_BODY,
    "schedules.clone": LARGEST_BODY,
    "schedules.preview": LARGEST_BODY,
    "schedules.import_set": LARGEST_BODY,
    "calendars.create": LARGEST_BODY,
    "calendars.edit": LARGEST_BODY,
    "calendars.import_ics": LARGEST_BODY,
}
"""The largest body of each endpoint, in bytes; BUTTON for all others."""

TEXT = 20_000
"""Characters of a form field without a limit of its own here; most views have lower limits."""

LONG_TEXTS = {"text": LARGEST_BODY, "excluded": LARGEST_BODY, "args": 200_000, "kwargs": 200_000}
PARAMETER = re.compile(r"p\.")
"""Form fields of a job's parameters, which may be as long as all arguments."""

MOST_FIELDS = 2_000
PATH = 2_000
QUERY = 8_000
QUERY_VALUE = 2_000
"""Characters of a parameter in the address."""

HEADERS = 32_000
"""Bytes of all headers together, cookies included."""

DEEPEST_JSON = 100

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z|\\)|[\[{]|[\]}]', re.DOTALL)


class Lengths:
    """A WSGI application that refuses a long address or long headers, in front of another one."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer the request, or refuse it with 414 or 431."""
        path, query = len(environ.get("PATH_INFO", "")), len(environ.get("QUERY_STRING", ""))
        if path > PATH or query > QUERY:
            text = (
                f"The address is too long: a path has at most {PATH} characters, and what "
                f"follows the question mark {QUERY}."
            )
            return refusal(414, text, start_response)
        headers = sum(len(str(v)) for name, v in environ.items() if name.startswith("HTTP_"))
        if headers > HEADERS:
            text = f"The headers have {headers} bytes, at most {HEADERS} are read. Delete cookies."
            return refusal(431, text, start_response)
        return self._application(environ, start_response)


class BoundedJson(JSONProvider):
    """Another JSON provider, with refusal of deep values before they are read."""

    def __init__(self, app: Flask, provider: JSONProvider) -> None:
        super().__init__(app)
        self._provider = provider

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return the value as JSON."""
        return self._provider.dumps(obj, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value. Aborts with 400 for deep nesting."""
        if is_too_deep(s.decode("utf-8", "replace") if isinstance(s, bytes) else s):
            abort(400, f"The JSON is nested deeper than {DEEPEST_JSON} levels.")
        return self._provider.loads(s, **kwargs)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a response with the value as JSON."""
        return cast(Response, self._provider.response(*args, **kwargs))


def bound_json(app: Flask) -> None:
    """Bound the depth of all JSON; called after the extensions, which bring a provider."""
    app.json = BoundedJson(app, app.json)


def install(app: Flask) -> None:
    """Check the lengths of every request, before anything else of the app reads it."""
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        MAX_FORM_PARTS=MOST_FIELDS,
    )
    app.before_request(check_lengths)


def check_lengths() -> None:
    """Abort with 400 or 413, naming the field, for a text beyond its limit."""
    largest = BODIES.get(request.endpoint or "", BUTTON)
    request.max_content_length = largest
    request.max_form_memory_size = largest
    if (request.content_length or 0) > largest:
        abort(413, f"The body has {request.content_length} bytes; at most {largest:,} are read.")
    for name, value in request.args.items(multi=True):
        _check(name, value, QUERY_VALUE)
    if request.method == "POST" and not request.is_json:
        fields = list(request.form.items(multi=True))
        if len(fields) > MOST_FIELDS:
            abort(413, f"The form has {len(fields):,} fields; at most {MOST_FIELDS:,} are read.")
        for name, value in fields:
            _check(name, value, _longest(name))


def is_too_deep(text: str, deepest: int = DEEPEST_JSON) -> bool:
    """Whether a JSON text is nested deeper than `deepest` levels. Linear, and never recursive."""
    depth = 0
    for match in _BRACKETS.finditer(text):
        bracket = match[0]
        if bracket in "[{":
            depth += 1
            if depth > deepest:
                return True
        elif bracket in "]}":
            depth -= 1
    return False


def _longest(name: str) -> int:
    """Return the largest number of characters of a form field."""
    return ARGUMENTS if PARAMETER.match(name) else LONG_TEXTS.get(name, TEXT)


def _check(name: str, value: str, longest: int) -> None:
    if len(name) > QUERY_VALUE:
        abort(400, f"The name of a field has {len(name):,} characters: {name[:40]!a}…")
    if len(value) > longest:
        abort(400, f"{name[:60]} has {len(value):,} characters; at most {longest:,} are read.")
