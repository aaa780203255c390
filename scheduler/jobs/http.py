"""The job for a request to another server: a web hook, a cron address, a health check."""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from scheduler.errors import BeatdeskError
from scheduler.events.secret_names import MASK
from scheduler.job import job
from scheduler.outgoing.addresses import Target, target_of
from scheduler.outgoing.http import SECONDS, Answer, Request, ask
from scheduler.services.process import current_services
from scheduler.settings.http_allowlist import opened

LARGEST_BODY = 65_536
"""Most bytes of a request's body."""

SHOWN = 8_000
"""Characters of an answer in the run's result."""

EXCERPT = 500
"""Characters of an answer in an error."""

TRANSPORT_HEADERS = {
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "expect",
    "upgrade",
    "te",
    "trailer",
}
"""Headers of the transport, not for the caller to set."""

HARMLESS = {"accept", "accept-language", "content-type", "user-agent"}
"""Headers without secrets; their values stay visible in a repeating answer."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]{0,8000}")


class UnexpectedAnswer(BeatdeskError):
    """The server answered with another status than expected."""


class HttpRequest(BaseModel):
    """A request. Texts may hold references to secrets, such as `Bearer secret://shop-token`."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        description="http:// or https://, without user and password: they go into a header"
    )
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="GET", description="What to do"
    )
    headers: dict[str, str] = Field(
        default={},
        max_length=50,
        description="Names and values; a value may be a reference to a secret",
    )
    body: JsonValue = Field(
        default=None, description="A text is sent as it is, anything else as JSON"
    )
    expect: list[int] = Field(
        default=[],
        max_length=50,
        description="Accepted status codes; by default 200 to 299",
    )
    timeout: float = Field(
        default=SECONDS, gt=0, le=SECONDS, description="Seconds for the whole request"
    )

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:60]!r} is not the name of a header")
            if name.lower() in TRANSPORT_HEADERS:
                raise ValueError(f"{name} is set by the request itself")
            if not _VALUE.fullmatch(value):
                raise ValueError(
                    f"the value of {name} is not one line of up to 8000 characters of Latin 1"
                )
        return headers


@job("http.request", title="HTTP request", params=HttpRequest, retries=0)
def request(params: HttpRequest) -> dict[str, Any]:
    """Send a request to another server, and check the status of the answer.

    The run fails on an unexpected status, without an answer, and after five seconds. Redirects are
    not followed: their status is the answer. Requests go to addresses of the public internet, and
    to others only if BEATDESK_HTTP_ALLOW lists them. At most 64 kB of an answer are read; the
    result shows the beginning.
    """
    target = target_of(params.url)
    body, kind = encoded(params.body)
    headers = {"User-Agent": "Beatdesk", "Accept": "*/*", **kind}
    given = {name.lower() for name in params.headers}
    headers = {
        name: value for name, value in headers.items() if name.lower() not in given
    } | params.headers
    answer = ask(
        Request(params.method, target, headers, body),
        opened(current_services().settings.http_allow),
        seconds=params.timeout,
    )
    text = without(params.headers, readable(answer))
    if not (answer.status in params.expect if params.expect else 200 <= answer.status <= 299):
        raise UnexpectedAnswer(complaint(target, answer, params.expect, text))
    return {
        "status": answer.status,
        "reason": answer.reason,
        "seconds": answer.seconds,
        "address": answer.address,
        "content_type": answer.content_type,
        "size": len(answer.body),
        "cut": answer.cut,
        "body": text[:SHOWN],
    }


def encoded(body: JsonValue) -> tuple[bytes | None, Mapping[str, str]]:
    """The body as bytes, with its `Content-Type`: text unchanged, other values as JSON.

    Raises ValueError for more than `LARGEST_BODY` bytes.
    """
    if body is None:
        return None, {}
    is_text = isinstance(body, str)
    raw = (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode(
        "utf-8", "surrogatepass"
    )
    if len(raw) > LARGEST_BODY:
        raise ValueError(f"body has {len(raw)} bytes, and at most {LARGEST_BODY} are sent")
    return raw, {"Content-Type": "text/plain; charset=utf-8" if is_text else "application/json"}


def readable(answer: Answer) -> str:
    """The answer's body as text in the charset of its `Content-Type`, in UTF-8 without a known
    charset; undecodable bytes are replaced.
    """
    found = re.search(r"charset=\"?([A-Za-z0-9_.:-]{1,40})", answer.content_type)
    try:
        return answer.body.decode(found[1] if found else "utf-8", "replace")
    except (LookupError, ValueError):
        return answer.body.decode("utf-8", "replace")


def without(headers: Mapping[str, str], text: str) -> str:
    """The text with the headers' values hidden, and with their words of 8 or more characters.

    Servers repeat headers in their answers. Secrets are hidden before the text is cut, because half
    a secret would not be found.
    """
    values = [value for name, value in headers.items() if name.lower() not in HARMLESS]
    parts = {part for value in values for part in (value, *value.split()) if len(part) >= 8}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, MASK)
    return text


def complaint(target: Target, answer: Answer, expect: list[int], text: str) -> str:
    """Text of the error for an answer: its status, the expected statuses, and the answer's
    beginning.
    """
    wanted = ", ".join(map(str, expect)) if expect else "200 to 299"
    status = f"{target.place} answered {answer.status} {answer.reason}".rstrip()
    problem = f"{status}, and {wanted} was expected"
    excerpt = text[:EXCERPT].strip()
    if not excerpt:
        return problem
    return f"{problem}: {excerpt}{'…' if len(text) > EXCERPT else ''}"
