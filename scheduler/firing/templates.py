"""A message that Celery has made, which becomes another run's: its JSON text with places for what differs.

The text is split once; then a message is a matter of texts put in their places. What is said of an entry's arguments
and headers is made once for the entry (`Call.memo`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from celery.utils.saferepr import saferepr
from celery.utils.time import add_seconds_to_datetime, maybe_make_aware  # type: ignore[attr-defined] # newer than its stubs
from kombu import serialization
from kombu.utils import json
from kombu.utils.uuid import uuid

from scheduler.firing.calls import Call, Command, Rendered, Unsendable
from scheduler.runs.facts import TICK_HEADER, Message, is_job

SHORT = 200
"""Characters of arguments up to which their text is cut nowhere, by far: Celery cuts it at 1,024."""

_PLAIN = (int, float, bool, str, type(None))


@dataclass(frozen=True, slots=True)
class Template:
    """A message that Celery has made, and what it needs to become another run's."""

    app: Any
    channel: Any
    first: Command
    rest: tuple[Command, ...]
    routing_key: str
    message: dict[str, Any]
    headers: dict[str, Any]
    check: Callable[..., Any] | None
    texts: dict[bool, str] = field(default_factory=dict)
    """The payload with its places, without and with an expiration; made when it is asked for."""

    def fill(self, call: Call, now: datetime) -> Rendered | None:
        """The call's own message; none where only Celery can make it. Raises Unsendable."""
        own = call.options["headers"]
        if not own or not self.headers.keys().isdisjoint(own):
            return None
        times = self._times(call.options, now)
        if times is None:
            return None
        args, kwargs = call.args or (), call.kwargs
        args_text, kwargs_text, said = self._said(call, args, kwargs)
        eta, expires, expiration = times
        run = json.dumps(call.run)
        payload = self._text(expiration is not None) % {
            **said,
            "run": run,
            "eta": "null" if eta is None else json.dumps(eta),
            "expires": "null" if expires is None else json.dumps(expires),
            "own": _own_text(call, own),
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
        told = (Message(headers, args, kwargs, self.routing_key),) if is_job(call.job) else ()
        return Rendered(((*self.first, payload), *self.rest), told)

    def _text(self, ends: bool) -> str:
        """The payload, with `%(name)s` where the JSON of what differs belongs."""
        text = self.texts.get(ends)
        if text is None:
            mark = uuid4().hex
            run, own = mark + "run", mark + "own"
            headers = {**self.headers, "id": run, "eta": mark + "eta", "expires": mark + "expires", "root_id": run}
            headers |= {"argsrepr": mark + "args", "kwargsrepr": mark + "kwargs", own: own}
            properties = {**self.message["properties"], "correlation_id": run, "delivery_tag": mark + "tag"}
            if ends:
                properties["expiration"] = mark + "expiration"
            payload = {**self.message, "body": mark + "body", "headers": headers, "properties": properties}
            text = json.dumps(payload).replace("%", "%%").replace(f'"{own}": "{own}"', "%(own)s")
            for name in ("run", "eta", "expires", "args", "kwargs", "body", "tag", "expiration"):
                text = text.replace(f'"{mark}{name}"', f"%({name})s")
            self.texts[ends] = text
        return text

    def _said(self, call: Call, args: Any, kwargs: Any) -> tuple[str, str, dict[str, str]]:
        """The arguments as texts, and these and the body as JSON: made once for an entry. Raises Unsendable."""
        known = call.memo.get("arguments")
        if known is not None and known[0] is self:
            return known[1:]  # type: ignore[no-any-return]
        if self.check is not None:
            try:
                self.check(*call.args, **call.kwargs)
            except TypeError as error:
                raise Unsendable(f"Celery cannot send {call.job!r}: TypeError: {error}") from error
        limit, levels = self.app.amqp, self.app.conf.task_repr_maxlevels
        texts = (
            repr_of(args, limit.argsrepr_maxsize, levels),
            repr_of(kwargs, limit.kwargsrepr_maxsize, levels),
        )
        body = self._body(args, kwargs)
        said = {"args": json.dumps(texts[0]), "kwargs": json.dumps(texts[1]), "body": json.dumps(body)}
        call.memo["arguments"] = (self, *texts, said)
        return (*texts, said)

    def _body(self, args: Any, kwargs: Any) -> Any:
        embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
        try:
            _, _, body = serialization.dumps((args, kwargs, embed), serializer="json")
        except Exception as error:
            raise Unsendable(f"the arguments are no JSON: {error}") from error
        return self.channel.encode_body(body, self.channel.body_encoding)[0]

    def _times(self, options: Mapping[str, Any], now: datetime) -> tuple[str | None, str | None, str | None] | None:
        """When the run may start, when it is too late, and the milliseconds until then, as Celery computes them."""
        zone = self.app.timezone
        countdown, expires = options.get("countdown"), options.get("expires")
        moment = now.astimezone(zone)
        eta = maybe_make_aware(add_seconds_to_datetime(moment, countdown), tz=zone).isoformat() if countdown else None
        if expires is None:
            return eta, None, None
        if isinstance(expires, datetime):
            seconds, text = (expires - now).total_seconds(), expires.isoformat()
        else:
            seconds = expires
            text = maybe_make_aware(add_seconds_to_datetime(moment, expires), tz=zone).isoformat()
        return None if seconds < 0 else (eta, text, str(int(seconds * 1000)))  # Celery warns of what is over


def _own_text(call: Call, own: Mapping[str, Any]) -> str:
    """Our headers as the inside of a JSON object. Those of an entry's runs are the same objects, but for the tick."""
    if TICK_HEADER not in own:
        return json.dumps(own)[1:-1]
    known = call.memo.get("headers")
    if known is None or not _differ_in_tick_only(known[0], own):
        mark = uuid4().hex
        made = json.dumps({**own, TICK_HEADER: mark})[1:-1]
        known = call.memo["headers"] = (own, made.replace("%", "%%").replace(f'"{mark}"', "%s"))
    text: str = known[1]
    return text % (json.dumps(own[TICK_HEADER]),)


def _differ_in_tick_only(these: Mapping[str, Any], those: Mapping[str, Any]) -> bool:
    return these.keys() == those.keys() and all(
        value is those[name] for name, value in these.items() if name != TICK_HEADER
    )


def repr_of(value: Any, limit: int, levels: int) -> str:
    """Celery's `saferepr` of arguments; those that are short and plain, as most are, without its machinery."""
    plain = limit > SHORT and (not levels or levels > 1)
    if plain and type(value) is dict and all(type(key) is str for key in value) and _are_plain(value.values()):
        text = "{" + ", ".join(f"{_plain_repr(key)}: {_plain_repr(item)}" for key, item in value.items()) + "}"
    elif plain and type(value) in (list, tuple) and _are_plain(value):
        inside = ", ".join(map(_plain_repr, value))
        text = f"[{inside}]" if type(value) is list else f"({inside},)" if len(value) == 1 else f"({inside})"
    else:
        text = ""
    if not text or len(text) > SHORT:
        text = saferepr(value, limit, maxlevels=levels)
    return text


def _are_plain(values: Any) -> bool:
    return all(type(value) in _PLAIN for value in values)


def _plain_repr(value: Any) -> str:
    return "'{}'".format(value.replace("'", "\\'")) if type(value) is str else str(value)
