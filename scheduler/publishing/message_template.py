"""A message made by Celery, as a template: JSON text with places for the values of each run.

`fill` makes the message of a run. For an entry whose runs differ in run, tick and tag only,
`payload` fills in all other values once, for the fast path (`beat.fast`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from json.encoder import encode_basestring_ascii as quoted  # what json.dumps does to texts
from typing import Any
from uuid import uuid4

from celery.utils.saferepr import saferepr
from celery.utils.time import add_seconds_to_datetime, maybe_make_aware  # type: ignore[attr-defined] # newer than its stubs
from kombu import serialization
from kombu.utils import json
from kombu.utils.uuid import uuid

from scheduler.events import fast_json
from scheduler.publishing.calls import (
    RUN,
    TAG,
    TICK,
    Call,
    Command,
    Rendered,
    Unsendable,
)
from scheduler.runs.headers import Message, is_job
from scheduler.runs.own_header import TICK_HEADER

SHORT = 200
"""Most characters of a text of arguments that is certainly not cut: Celery cuts at 1,024."""

_PLAIN = frozenset((int, float, bool, str, type(None)))
_written = fast_json.writer()


@dataclass(frozen=True, slots=True)
class Template:
    """A message made by Celery, and the values needed to make another run's message from it."""

    app: Any
    channel: Any
    first: Command
    rest: tuple[Command, ...]
    routing_key: str
    message: dict[str, Any]
    headers: dict[str, Any]
    check: Callable[..., Any] | None
    bounds: tuple[int, int, int]
    """Most characters of the texts of arguments and of keywords, and most levels of both."""

    texts: dict[bool, str] = field(default_factory=dict)
    """The payload with places, without and with an expiration; made at the first use."""

    around: tuple[tuple[Any, ...], tuple[Any, ...]] = field(init=False)
    """The parts of the commands before and after the payload, in the form of the script."""

    only_queue: bytes | None = field(init=False)
    """The key of the queue where a single LPUSH sends the message; else None."""

    def __post_init__(self) -> None:
        before = (1 + len(self.rest), 1 + len(self.first), *self.first)
        after = tuple(part for command in self.rest for part in (len(command), *command))
        object.__setattr__(self, "around", (before, after))
        queue = None
        if not self.rest and len(self.first) == 2 and self.first[0] == "LPUSH":
            queue = self.first[1]
        key = queue.encode() if isinstance(queue, str) else queue
        object.__setattr__(self, "only_queue", key)

    def fill(self, call: Call, now: datetime) -> Rendered | None:
        """Return the message of a call; None where only Celery can make one. Raises Unsendable."""
        own = call.options["headers"]
        if not own or not self.headers.keys().isdisjoint(own):
            return None
        times = self._times(call.options, now)
        if times is None:
            return None
        args, kwargs = call.args or (), call.kwargs
        args_text, kwargs_text, encoded = self._argument_texts(call.job, args, kwargs)
        eta, expires, expiration = times
        run = json.dumps(call.run)
        payload = self._text(expiration is not None) % {
            **encoded,
            "run": run,
            "eta": "null" if eta is None else json.dumps(eta),
            "expires": "null" if expires is None else json.dumps(expires),
            "own": _json(own)[1:-1],
            "tag": f'"{uuid()}"',
            "expiration": f'"{expiration}"',
        }
        headers = {
            **self.headers,
            "id": call.run,
            "eta": eta,
            "expires": expires,
            "root_id": call.run,
            "argsrepr": args_text,
            "kwargsrepr": kwargs_text,
            **own,
        }
        messages = (Message(headers, args, kwargs, self.routing_key),) if is_job(call.job) else ()
        return Rendered(((*self.first, payload), *self.rest), messages)

    def payload(self, call: Call) -> str | None:
        """Return the text of all messages of the call's entry, with marks for RUN, TICK and TAG.

        None where runs differ in more values, or where only Celery can make the messages. Raises
        Unsendable.
        """
        frame = self.frame(call)
        return (
            None if frame is None else frame % self.argument_texts(call.job, call.args, call.kwargs)
        )

    def frame(self, call: Call) -> str | None:
        """Return `payload` with places for the texts of the arguments.

        The places `%(args)s`, `%(kwargs)s` and `%(body)s` stand for the values of `argument_texts`.
        """
        own, options = call.options["headers"], call.options
        if TICK_HEADER not in own or not self.headers.keys().isdisjoint(own):
            return None
        if options.get("countdown") or options.get("expires") is not None:
            return None
        headers = _json({**own, TICK_HEADER: TICK})[1:-1]
        if headers.count(quoted(TICK)) != 1:
            return None  # another header has the same value
        headers = headers.replace(quoted(TICK), f'"{TICK}"').replace("%", "%%")
        places = {name: f"%({name})s" for name in ("args", "kwargs", "body")}
        rest = {"run": f'"{RUN}"', "tag": f'"{TAG}"', "eta": "null", "expires": "null"}
        text = self._text(False).replace("%%", "%%%%")
        return text % {**places, **rest, "own": headers}

    def argument_texts(self, job: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, str]:
        """The texts of arguments and body, as JSON strings, for `frame`. Raises Unsendable."""
        return self._argument_texts(job, args or (), kwargs)[2]

    def _text(self, ends: bool) -> str:
        """Return the payload, with `%(name)s` in place of the JSON of each varying value."""
        text = self.texts.get(ends)
        if text is None:
            mark = uuid4().hex
            run, own = mark + "run", mark + "own"
            headers = {
                **self.headers,
                "id": run,
                "eta": mark + "eta",
                "expires": mark + "expires",
                "root_id": run,
            }
            headers |= {"argsrepr": mark + "args", "kwargsrepr": mark + "kwargs", own: own}
            properties = {
                **self.message["properties"],
                "correlation_id": run,
                "delivery_tag": mark + "tag",
            }
            if ends:
                properties["expiration"] = mark + "expiration"
            payload = {
                **self.message,
                "body": mark + "body",
                "headers": headers,
                "properties": properties,
            }
            text = json.dumps(payload).replace("%", "%%").replace(f'"{own}": "{own}"', "%(own)s")
            for name in ("run", "eta", "expires", "args", "kwargs", "body", "tag", "expiration"):
                text = text.replace(f'"{mark}{name}"', f"%({name})s")
            self.texts[ends] = text
        return text

    def _argument_texts(self, job: str, args: Any, kwargs: Any) -> tuple[str, str, dict[str, str]]:
        """Return the texts of arguments and keywords, and the JSON strings of both and of the body.

        Raises Unsendable.
        """
        if self.check is not None:
            try:
                self.check(*args, **kwargs)
            except TypeError as error:
                raise Unsendable(f"Celery cannot send {job!r}: TypeError: {error}") from error
        most_args, most_kwargs, levels = self.bounds
        texts = repr_of(args, most_args, levels), repr_of(kwargs, most_kwargs, levels)
        body = self._body(args, kwargs)
        encoded = {"args": quoted(texts[0]), "kwargs": quoted(texts[1]), "body": quoted(body)}
        return (*texts, encoded)

    def _body(self, args: Any, kwargs: Any) -> Any:
        embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
        try:
            body = _json((args, kwargs, embed))
        except Exception as error:
            raise Unsendable(f"the arguments are no JSON: {error}") from error
        return self.channel.encode_body(body, self.channel.body_encoding)[0]

    def _times(
        self, options: Mapping[str, Any], now: datetime
    ) -> tuple[str | None, str | None, str | None] | None:
        """Return the start, the expiry, and the milliseconds until the expiry, as Celery does."""
        zone = self.app.timezone
        countdown, expires = options.get("countdown"), options.get("expires")
        moment = now.astimezone(zone)
        eta = (
            maybe_make_aware(add_seconds_to_datetime(moment, countdown), tz=zone).isoformat()
            if countdown
            else None
        )
        if expires is None:
            return eta, None, None
        if isinstance(expires, datetime):
            seconds, text = (expires - now).total_seconds(), expires.isoformat()
        else:
            seconds = expires
            text = maybe_make_aware(add_seconds_to_datetime(moment, expires), tz=zone).isoformat()
        if seconds < 0:
            return None  # Celery warns of an expiry in the past
        return eta, text, str(int(seconds * 1000))


def _json(value: Any) -> str:
    """Return JSON as written by kombu's serializer.

    The serializer's encoding of values that are not JSON runs only where such a value occurs.
    """
    try:
        return _written(value)
    except TypeError:
        text: str = serialization.dumps(value, serializer="json")[2]
        return text


def repr_of(value: Any, limit: int, levels: int) -> str:
    """Return Celery's `saferepr` of arguments.

    Short and plain arguments, the usual case, are written without Celery's machinery.
    """
    plain = limit > SHORT and (not levels or levels > 1)
    if (
        plain
        and type(value) is dict
        and {str}.issuperset(map(type, value))
        and _are_plain(value.values())
    ):
        text = (
            "{"
            + ", ".join(f"{_plain_repr(key)}: {_plain_repr(item)}" for key, item in value.items())
            + "}"
        )
    elif plain and type(value) in (list, tuple) and _are_plain(value):
        inside = ", ".join(map(_plain_repr, value))
        if type(value) is list:
            text = f"[{inside}]"
        else:
            text = f"({inside},)" if len(value) == 1 else f"({inside})"
    else:
        text = ""
    if not text or len(text) > SHORT:
        text = saferepr(value, limit, maxlevels=levels)
    return text


def _are_plain(values: Any) -> bool:
    return _PLAIN.issuperset(map(type, values))


def _plain_repr(value: Any) -> str:
    return "'{}'".format(value.replace("'", "\\'")) if type(value) is str else str(value)
