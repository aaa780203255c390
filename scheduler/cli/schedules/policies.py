"""The options of `add` and `edit` that say what happens when things do not go as planned, and which
ticks count.
"""

from datetime import datetime
from typing import Any, NamedTuple

import click

from scheduler.cli import fields
from scheduler.rules.model.spec import Policies, Window
from scheduler.rules.time.typed import Zone

NONE = "none"

OPTIONS = (
    click.option(
        "--overlap",
        type=click.Choice(["skip", "allow", "queue_one", "queue_all", "cancel_previous"]),
        help="A tick is due while an earlier run is not over.",
    ),
    click.option(
        "--queue-limit", type=int, metavar="N", help="Ticks that queue_all keeps at most."
    ),
    click.option(
        "--catch-up", type=click.Choice(["latest", "none", "all"]), help="Ticks that nobody sent."
    ),
    click.option(
        "--catch-up-window",
        metavar="TIME",
        help="How far back catching up goes: 3600, 90m, 2h, 1d.",
    ),
    click.option(
        "--starting-deadline",
        metavar="TIME|none",
        help="From the tick to the start; later it expires.",
    ),
    click.option("--run-timeout", metavar="TIME|none", help="How long one attempt may run."),
    click.option(
        "--retries", type=int, metavar="N", help="Attempts after the first, beside the job's own."
    ),
    click.option(
        "--retry-backoff", metavar="TIME", help="Before the first retry; doubles with each."
    ),
    click.option(
        "--pause-after-failures", metavar="N|none", help="Failed ticks in a row that pause it."
    ),
    click.option("--jitter", metavar="TIME", help="Spread each tick by up to so much."),
    click.option("--starts-at", metavar="TIME|none", help="No tick before this time."),
    click.option("--ends-at", metavar="TIME|none", help="No tick from this time on."),
    click.option("--max-runs", metavar="N|none", help="So many runs, then it is finished."),
    click.option(
        "--calendar", metavar="NAME|none", help="Ticks that fall into this calendar are skipped."
    ),
)
_TIMES = {"catch_up_window", "starting_deadline", "run_timeout", "retry_backoff", "jitter"}
_NUMBERS = {"pause_after_failures", "max_runs"}
_MOMENTS = {"starts_at", "ends_at"}
NAMES = (*Policies.model_fields, *Window.model_fields)


class Clock(NamedTuple):
    """Now, and the zone in which times of day are meant: the schedule's."""

    now: datetime
    zone: Zone


def named(
    given: dict[str, Any], policies: Policies, window: Window, clock: Clock | None = None
) -> dict[str, Any]:
    """`policies` and `window` as fields of a Spec, each only where an option changes it.

    Without `clock` only whole dates are read.
    """
    values = {
        name: _value(name, given[name], clock) for name in NAMES if given.get(name) is not None
    }
    changed: dict[str, Any] = {}
    for key, old in (("policies", policies), ("window", window)):
        update = {name: value for name, value in values.items() if name in type(old).model_fields}
        if update:
            changed[key] = {**dict(old), **update}
    return changed


def _value(name: str, text: Any, clock: Clock | None) -> Any:
    """What an option's text means; `none` takes a limit away."""
    if not isinstance(text, str):
        return text
    if text == NONE and name not in ("catch_up", "catch_up_window", "retry_backoff", "jitter"):
        return None
    if name in _TIMES:
        return fields.seconds(text, name)
    if name in _NUMBERS:
        return fields.whole(text, name)
    return _moment(name, text, clock) if name in _MOMENTS else text


def _moment(name: str, text: str, clock: Clock | None) -> datetime:
    if clock is None:
        return fields.instant(text, name)
    return fields.moment_ahead(text, name, now=clock.now, zone=clock.zone)
