"""The message header `beatdesk`: facts about a run beyond Celery's headers, in one encoding.

| part | from | meaning |
| --- | --- | --- |
| `schedule`, `schedule_uid`, `revision` | Beat, or the sender of a run | the run's schedule |
| `trigger`, `actor`, `queued_at`, `parent` | Beat, or the sender of a run | the run's reason |
| `retries`, `backoff` | the schedule's policies | further attempts, seconds before the first |
| `attempts_before` | the worker that sends the next attempt | attempts of the task's own retries |
| `lost` | the worker that sends the next attempt | attempts with a lost process |
| `deliveries` | the worker with the message | earlier deliveries that began, without an end |
| `on_lost` | the schedule's policies | `fail`: a run whose worker was lost is not run again |
| `due_at` | Beat, where the schedule has jitter | the moment of the run's start |
| `approval` | the process that judged the role | the mark of `runs.approvals`, for some jobs |
| `outbox` | the relay | the message's own mark, by which workers recognise a second copy |

The tick stands in a header of its own, `tick`. `decode` never raises: any program may have written
a header. `storage/take.lua` reads the schedule and its id for a run's lease.
tests/unit/runs/golden/message_headers.json is the format: messages of an older version are in the
queues while a newer version starts.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast, get_args

from pydantic_core import to_jsonable_python

from scheduler.events.bounds import bounded_text, plain_text
from scheduler.events.schema import Trigger
from scheduler.rules.policies.loss import OnLost

HEADER = "beatdesk"
TICK_HEADER = "tick"
LONGEST_NAME = 255
"""Most characters of a name that is not cut in an event."""

MOST_RETRIES = 100
LONGEST_BACKOFF = 366 * 86_400.0
_LONGEST_UID = 36
_LONGEST_PARENT = 64
_TRIGGERS = frozenset(get_args(Trigger))


class OwnHeader(NamedTuple):
    """The parts of the header; None for a missing or malformed part."""

    schedule: str | None = None
    schedule_uid: str | None = None
    revision: int | None = None
    trigger: Trigger | None = None
    actor: str | None = None
    queued_at: datetime | None = None
    parent: str | None = None
    retries: int | None = None
    backoff: float | None = None
    attempts_before: int | None = None
    lost: int | None = None
    deliveries: int | None = None
    on_lost: OnLost | None = None
    outbox: str | None = None
    due_at: datetime | None = None
    approval: str | None = None


def encode(header: OwnHeader) -> dict[str, Any]:
    """Return the value of the header, without parts that are None."""
    parts = {name: value for name, value in header._asdict().items() if value is not None}
    if header.queued_at is not None:
        parts["queued_at"] = to_jsonable_python(header.queued_at)
    if header.due_at is not None:
        parts["due_at"] = to_jsonable_python(header.due_at)
    return parts


def decode(headers: Any) -> OwnHeader:
    """Return the parts in a message's headers; every part is None without a readable header."""
    parts = raw_parts(headers)
    if not parts:
        return OwnHeader()
    mark = parts.get("outbox")
    retries, backoff = _attempts(parts.get("retries"), parts.get("backoff"))
    return OwnHeader(
        schedule=name_in(parts.get("schedule")),
        schedule_uid=name_in(parts.get("schedule_uid"), _LONGEST_UID),
        revision=_revision(parts.get("revision")),
        trigger=_trigger(parts.get("trigger")),
        actor=name_in(parts.get("actor")),
        queued_at=moment_in(parts.get("queued_at")),
        parent=name_in(parts.get("parent"), _LONGEST_PARENT),
        retries=retries,
        backoff=backoff,
        attempts_before=_whole(parts.get("attempts_before")),
        lost=_whole(parts.get("lost")),
        deliveries=_count(parts.get("deliveries")),
        on_lost=_on_lost(parts.get("on_lost")),
        outbox=mark if isinstance(mark, str) and mark.isalnum() else None,
        due_at=moment_in(parts.get("due_at")),
        approval=name_in(parts.get("approval")),
    )


def raw_parts(headers: Any) -> Mapping[str, Any]:
    """Return the header's value unchanged, including parts of later versions; empty if missing."""
    value = headers.get(HEADER) if isinstance(headers, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def updated(headers: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    """Return the headers with Beatdesk's `parts` changed; all else stays, as do unknown parts."""
    return {**headers, HEADER: {**raw_parts(headers), **parts}}


def schedule_of(headers: Mapping[str, Any]) -> str | None:
    """Return the name of the run's schedule."""
    return name_in(raw_parts(headers).get("schedule"))


def tick_of(headers: Mapping[str, Any]) -> datetime | None:
    """Return the run's tick, in UTC; None for a run without a tick."""
    tick = moment_in(headers.get(TICK_HEADER))
    return None if tick is None else tick.astimezone(UTC)


def deliveries_of(headers: Any) -> int:
    """Return the number of a run's deliveries that began and did not end, as the worker ended.

    The run had as many attempts beside the retries.
    """
    return _count(raw_parts(headers).get("deliveries")) or 0


def name_in(value: Any, limit: int = LONGEST_NAME) -> str | None:
    """Return a name in a header, cut to `limit` characters; None for any other value.

    What UTF-8 or a database refuses is escaped.
    """
    if not isinstance(value, str) or not value:
        return None
    name = plain_text(value)
    return name if len(name) <= limit else bounded_text(name, limit - 60)[:limit]


def moment_in(value: Any) -> datetime | None:
    """Return an aware moment in a header; None for any other value."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def _attempts(left: Any, base: Any) -> tuple[int | None, float | None]:
    """Return further attempts and the seconds before the first: both, or None twice."""
    if (
        not isinstance(left, int)
        or not isinstance(base, int | float)
        or not 0 < base <= LONGEST_BACKOFF
    ):
        return None, None
    return min(max(int(left), 0), MOST_RETRIES), float(base)


def _trigger(value: Any) -> Trigger | None:
    return cast("Trigger", value) if isinstance(value, str) and value in _TRIGGERS else None


def _on_lost(value: Any) -> OnLost | None:
    return cast("OnLost", value) if value in get_args(OnLost) else None


def _revision(value: Any) -> int | None:
    return (
        value
        if _whole(value) is not None and not isinstance(value, bool) and 0 <= value < 2**31
        else None
    )


def _count(value: Any) -> int | None:
    """Return a small number in a header; None for any other value."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**15
    return value if is_count else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None
