"""Beatdesk's scheduler class: `celery -A scheduler beat -S scheduler.beat.Scheduler`, or `-S
beatdesk`.

A RedBeatScheduler on the same data, with one transaction for each tick. Two differences from stock
are on purpose: the lock is taken in `tick`, not in `beat_init`, and static entries are written by
the leading Beat, not by every Beat at its start.
"""

import gc
import json
from collections.abc import Mapping
from typing import Any

from celery.signals import beat_init
from celery.utils.log import get_logger
from redbeat.decoder import RedBeatJSONEncoder
from redbeat.schedulers import (
    ADD_ENTRY_ERROR,
    RedBeatScheduler,
    acquire_distributed_beat_lock,
    get_redis,
)
from redis.backoff import NoBackoff
from redis.retry import Retry

from scheduler.beat.loop import Loop
from scheduler.beat.static_entries import StaticEntry
from scheduler.beat.stock.entry import BeatEntry
from scheduler.settings.schema import Settings
from scheduler.storage import keys

log = get_logger("celery.beat")

GARBAGE_AFTER = 50_000
"""New objects between two garbage collections. With Python's default of 700, walking over cached
entries costs a fifth of the time of a busy pass.
"""


class Scheduler(RedBeatScheduler):  # type: ignore[misc] # redbeat has no types
    """Beat's scheduler. Celery makes a `lazy` one only to read the configuration."""

    __module__ = "scheduler.beat"
    """The class's public module, used in settings, banners and `-S`."""

    Entry = BeatEntry

    def __init__(self, app: Any, *args: Any, lazy: bool = False, **kwargs: Any) -> None:
        super().__init__(app, *args, lazy=lazy, **kwargs)
        self._loop: Loop | None = None
        if not lazy:
            beat_init.disconnect(
                acquire_distributed_beat_lock
            )  # it waits for the lock before the first tick
            _preload(app)

    def setup_schedule(self) -> None:
        """Does nothing: static entries are written at the beginning of a leadership."""

    def tick(self, *_: Any, **__: Any) -> float:
        """Run a turn, sleep included. Returns the seconds until Celery's next call."""
        if self._loop is None:
            self._loop = self._make_loop()
        return self._loop.tick()

    def close(self) -> None:
        """Release the lock and Celery's resources."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()
        super().close()

    def _make_loop(self) -> Loop:
        gc.set_threshold(GARBAGE_AFTER, *gc.get_threshold()[1:])
        conf, settings = self.app.redbeat_conf, getattr(self.app, "settings", None)
        client = get_redis(self.app)
        client = getattr(client, "wrapped_connection", client)
        client.set_retry(
            Retry(NoBackoff(), 0)
        )  # the loop waits by itself, and renews its lock meanwhile
        if not isinstance(settings, Settings):
            settings = None  # a Celery app of somebody else's
        names = keys.Names(
            conf.key_prefix, conf.schedule_key, conf.statics_key, self.lock_key or keys.BEAT_LOCK
        )
        return Loop(
            self.app,
            client,
            names,
            ttl=float(self.lock_timeout),
            sleep=float(self.max_interval),
            limit=_default("event_body_limit") if settings is None else settings.event_body_limit,
            fast_path=_default("beat_fast_path") if settings is None else settings.beat_fast_path,
            static_entries=self._static_entries,
        )

    def _static_entries(self) -> Mapping[str, StaticEntry]:
        """The static entries of the code by name; an invalid entry is logged and left out, as in
        stock.
        """
        entries: dict[str, StaticEntry] = {}
        for name, (entry, listed) in self._configured().items():
            try:
                made = self._maybe_entry(name, entry)
                definition = {
                    "name": made.name,
                    "task": made.task,
                    "args": made.args,
                    "kwargs": made.kwargs,
                    "options": made.options,
                    "schedule": made.schedule,
                    "enabled": made.enabled,
                }
                entries[name] = StaticEntry(json.dumps(definition, cls=RedBeatJSONEncoder), listed)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                log.error(ADD_ENTRY_ERROR, name, error, entry)
        return entries

    def _configured(self) -> dict[str, tuple[Any, bool]]:
        """The entries of `beat_schedule`, and Celery's own entries, listed nowhere by RedBeat."""
        self._own: dict[str, Any] = {}
        self.install_default_entries(self.app.redbeat_conf.schedule)
        own = {name: (entry, False) for name, entry in self._own.items()}
        return own | {name: (entry, True) for name, entry in self.app.redbeat_conf.schedule.items()}

    def update_from_dict(self, dict_: dict[str, Any]) -> None:
        """Take Celery's own entries from `install_default_entries` for `_configured`."""
        self._own = dict_


def _preload(app: Any) -> None:
    """Import what Celery imports for its first message, so that the first run does not wait for
    it. Connects to nothing.
    """
    try:
        app.finalize()
        app.connection_for_write().transport  # noqa: B018 - kombu imports it here
        app.backend  # noqa: B018 - as above
    except Exception as error:  # noqa: BLE001 - the first run meets the same error, and reports it
        log.debug("beat: %r, while it prepares its first message", error)


def _default(setting: str) -> Any:
    """The default of a setting."""
    return Settings.model_fields[setting].default
