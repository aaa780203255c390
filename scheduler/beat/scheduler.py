"""Our scheduler class: `celery -A scheduler beat -S scheduler.beat.Scheduler`, or `-S beatdesk`.

A RedBeatScheduler on the same data, that fires in one transaction each time (`firing`). What
differs from stock on purpose: the lock is taken in `tick`, not in `beat_init`, and static entries
are written by whoever leads, not by whoever starts.
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
"""New objects after which Python looks for garbage. Its default, 700, costs a fifth of the time
where much is due, to walk over entries that are kept on purpose."""


class Scheduler(RedBeatScheduler):  # type: ignore[misc] # redbeat has no types
    """Beat's scheduler; `lazy` ones are only asked what they would be."""

    Entry = BeatEntry

    def __init__(self, app: Any, *args: Any, lazy: bool = False, **kwargs: Any) -> None:
        super().__init__(app, *args, lazy=lazy, **kwargs)
        self._loop: Loop | None = None
        if not lazy:
            beat_init.disconnect(
                acquire_distributed_beat_lock
            )  # it waits for the lock before the first tick

    def setup_schedule(self) -> None:
        """Nothing yet: static entries are written once this Beat leads."""

    def tick(self, *_: Any, **__: Any) -> float:
        """One turn, which sleeps by itself; in how many seconds Celery is to come again."""
        if self._loop is None:
            self._loop = self._made()
        return self._loop.tick()

    def close(self) -> None:
        """Give back the lock, and what Celery holds."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()
        super().close()

    def _made(self) -> Loop:
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
            said=self._said,
        )

    def _said(self) -> Mapping[str, StaticEntry]:
        """What the code says of static entries. One that is no entry is told and left out, as in
        stock.
        """
        said: dict[str, StaticEntry] = {}
        for name, (entry, listed) in self._static().items():
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
                said[name] = StaticEntry(json.dumps(definition, cls=RedBeatJSONEncoder), listed)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                log.error(ADD_ENTRY_ERROR, name, error, entry)
        return said

    def _static(self) -> dict[str, tuple[Any, bool]]:
        """Those of the code, and Celery's own, which RedBeat does not list as static."""
        self._own: dict[str, Any] = {}
        self.install_default_entries(self.app.redbeat_conf.schedule)
        own = {name: (entry, False) for name, entry in self._own.items()}
        return own | {name: (entry, True) for name, entry in self.app.redbeat_conf.schedule.items()}

    def update_from_dict(self, dict_: dict[str, Any]) -> None:
        """Celery's own entries, given by `install_default_entries`, are written with all others."""
        self._own = dict_


def _default(setting: str) -> Any:
    """The default of a setting."""
    return Settings.model_fields[setting].default
