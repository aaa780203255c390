"""How Beat, workers, recorder, Redis and SQL are, with what to do about each that is not well.

Asks the servers and never raises: an outage is an answer here. Changes nothing.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, JsonValue
from redis.exceptions import RedisError

from scheduler.beat import heartbeat
from scheduler.beat.heartbeat import Heartbeat
from scheduler.errors import BeatdeskError
from scheduler.publishing.outbox import LONG_SECONDS, Backlog, backlog
from scheduler.rules.phrases import counted
from scheduler.services.services import Services
from scheduler.settings.errors import without_password
from scheduler.storage import keys
from scheduler.storage.server_time import seconds_of

RECORDER_ALIVE_FOR = timedelta(seconds=15)
LATE_AFTER_SECONDS = 30.0

_NO_REDIS = "not known: Redis does not answer"


class Part(BaseModel):
    """One part: whether it is well, in a sentence why, and what to do if it is not."""

    model_config = ConfigDict(frozen=True)

    name: str
    ok: bool
    summary: str
    remedy: str = ""
    facts: dict[str, JsonValue] = {}


class Status(BaseModel):
    """All parts, and how far SQL is behind (none where Redis does not say)."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    ok: bool
    beat: Part
    workers: Part
    recorder: Part
    redis: Part
    sql: Part
    lag_events: int | None = None
    lag_seconds: float | None = None

    @property
    def parts(self) -> list[Part]:
        """The parts in the order in which a run meets them."""
        return [self.beat, self.workers, self.recorder, self.redis, self.sql]


def status(services: Services, now: datetime) -> Status:
    """Ask everybody, now."""
    redis = redis_part(services)
    if redis.ok:
        beat, workers = (
            _asked("beat", beat_part, services, now),
            _asked("workers", workers_part, services, now),
        )
        recorder = _asked("recorder", recorder_part, services, now)
    else:
        remedy = "Bring Redis back; what is running goes on and reports then"
        beat, workers, recorder = (
            Part(name=name, ok=False, summary=_NO_REDIS, remedy=remedy)
            for name in ("beat", "workers", "recorder")
        )
    sql = sql_part(services)
    return Status(
        at=now,
        ok=all(part.ok for part in (beat, workers, recorder, redis, sql)),
        beat=beat,
        workers=workers,
        recorder=recorder,
        redis=redis,
        sql=sql,
        lag_events=cast("int | None", recorder.facts.get("lag_events")),
        lag_seconds=cast("float | None", recorder.facts.get("lag_seconds")),
    )


def redis_part(services: Services) -> Part:
    """Does the server that holds schedules and events answer?"""
    place = without_password(services.settings.redis_url)
    try:
        server = services.redis.info("server")
    except RedisError as error:
        remedy = (
            "Start it, or set BEATDESK_REDIS_URL to one that runs (`beatdesk up` brings its own)"
        )
        return Part(
            name="redis", ok=False, summary=f"{place} does not answer: {error}", remedy=remedy
        )
    product = "Valkey" if "valkey_version" in server else "Redis"
    version = str(server.get("valkey_version") or server.get("redis_version") or "?")
    summary = f"{product} {version} at {place}"
    return Part(
        name="redis",
        ok=True,
        summary=summary,
        facts={"product": product, "version": version, "url": place},
    )


def beat_part(services: Services, now: datetime) -> Part:
    """Does somebody hold RedBeat's lock? Each tick sets its time to live anew, which tells the age
    of the last one.

    A Beat of ours says more: its path, its epoch, how late it is, and who stands by.
    """
    with services.redis.pipeline(transaction=True) as pipe:
        pipe.get(keys.BEAT_LOCK)
        pipe.pttl(keys.BEAT_LOCK)
        pipe.hlen(keys.ASIDE_HASH)
        pipe.time()
        holder, left_ms, aside, time = pipe.execute()
    if holder is None:
        wait = services.settings.beat_lock_timeout
        remedy = (
            f"Start one: celery -A scheduler beat -S {services.settings.beat_scheduler} (a "
            f"stand-by needs {wait} s)"
        )
        return Part(
            name="beat", ok=False, summary="no Beat is leading, nothing is fired", remedy=remedy
        )
    age = max(0.0, services.settings.beat_lock_timeout - left_ms / 1000)
    facts: dict[str, JsonValue] = {
        "leader": str(holder),
        "last_tick_seconds": round(age, 3),
        "path": "stock",
    }
    summary = f"leading, last tick {age:.1f} s ago"
    beats = heartbeat.read(services.redis, datetime.fromtimestamp(seconds_of(time), UTC))
    ours = next((pulse for pulse in beats if str(holder).endswith(f":{pulse.name}")), None)
    if ours is not None:
        return _our_beat(ours, sum(not pulse.leads for pulse in beats), aside, summary, facts)
    left = backlog(services.redis)
    if left.entries:
        remedy = (
            "Start a Beat with -S scheduler.beat.Scheduler: only it publishes what is in the outbox"
        )
        summary = (
            f"leading, but {counted(left.entries, 'run')} in the outbox that this Beat knows "
            "nothing of"
        )
        return Part(
            name="beat", ok=False, summary=summary, remedy=remedy, facts=facts | _outbox_facts(left)
        )
    return Part(name="beat", ok=True, summary=summary, facts=facts)


def _our_beat(
    ours: Heartbeat, stand_bys: int, aside: int, summary: str, facts: dict[str, JsonValue]
) -> Part:
    """What a leader of our class says of itself, beside what the lock tells."""
    facts |= {"path": ours.way, "epoch": ours.epoch, "lag_seconds": round(ours.lag, 3)}
    facts |= {"stand_bys": stand_bys, "set_aside": aside}
    waiting = Backlog(ours.waiting, ours.waiting_seconds)
    if ours.way == "outbox" or waiting.entries:
        facts |= _outbox_facts(waiting)
    if waiting.seconds > LONG_SECONDS:
        remedy = (
            "Bring the broker back, if it is away; runs stay in the outbox, and are published then"
        )
        late = f"leading, but {_waiting(waiting)}" + (f": {ours.hindered}" if ours.hindered else "")
        return Part(name="beat", ok=False, summary=late, remedy=remedy, facts=facts)
    if ours.way == "atomic" and ours.hindered:
        remedy = "Bring the broker back; what is due is sent then"
        return Part(
            name="beat",
            ok=False,
            summary=f"leading, but cannot send: {ours.hindered}",
            remedy=remedy,
            facts=facts,
        )
    if ours.lag > LATE_AFTER_SECONDS:
        remedy = (
            "See Beat's log: what is due does not come into its queue, or is more than one Beat "
            "can send"
        )
        late = f"leading, but runs are {ours.lag:.0f} s late"
        return Part(name="beat", ok=False, summary=late, remedy=remedy, facts=facts)
    summary += f", path {ours.way}, epoch {ours.epoch}"
    if waiting.entries:
        summary += f", {_waiting(waiting)}"
    if stand_bys:
        summary += f", {counted(stand_bys, 'stand-by')}"
    if aside:
        summary += (
            f", {counted(aside, 'schedule')} set aside: see `beatdesk schedules list --state "
            "problem`"
        )
    return Part(name="beat", ok=True, summary=summary, facts=facts)


def _waiting(waiting: Backlog) -> str:
    return f"{counted(waiting.entries, 'run')} in the outbox for {waiting.seconds:.0f} s"


def _outbox_facts(waiting: Backlog) -> dict[str, JsonValue]:
    return {"outbox_entries": waiting.entries, "outbox_seconds": round(waiting.seconds, 3)}


def workers_part(services: Services, now: datetime) -> Part:
    """Which workers have been heard of lately?"""
    alive = services.catalogue.workers(now)
    facts: dict[str, JsonValue] = {
        "workers": [worker.model_dump(mode="json", exclude={"jobs"}) for worker in alive],
        "active": sum(worker.active for worker in alive),
    }
    if not alive:
        remedy = "Start one: celery -A scheduler worker; runs wait in the queue until then"
        return Part(
            name="workers", ok=False, summary="no worker is running", remedy=remedy, facts=facts
        )
    places = sum(worker.concurrency for worker in alive)
    summary = (
        f"{counted(len(alive), 'worker')} with {counted(places, 'process', 'processes')}, "
        f"{facts['active']} busy"
    )
    return Part(name="workers", ok=True, summary=summary, facts=facts)


def recorder_part(services: Services, now: datetime) -> Part:
    """Is a recorder alive, and how far behind is it?"""
    alive = recorders(services, now)
    lag = services.events.lag()
    dead = services.events.dead_letter_count()
    facts: dict[str, JsonValue] = {
        "recorders": cast(JsonValue, alive),
        "lag_events": lag.events,
        "lag_seconds": round(lag.seconds, 3),
        "dead_letters": dead,
    }
    waiting = f"{counted(lag.events, 'event')} waiting" if lag.events else "nothing waits"
    if not alive:
        remedy = "Start one: beatdesk recorder; no event is lost until then"
        return Part(
            name="recorder",
            ok=False,
            summary=f"no recorder is running, {waiting}",
            remedy=remedy,
            facts=facts,
        )
    hindered = [str(said["problem"]) for said in alive.values() if said.get("problem")]
    if len(hindered) == len(alive):
        remedy = (
            "It goes on by itself as soon as SQL answers; runs go on, and no event is lost until "
            "then"
        )
        return Part(
            name="recorder",
            ok=False,
            summary=f"cannot write: {hindered[0]}; {waiting}",
            remedy=remedy,
            facts=facts,
        )
    if lag.events >= services.settings.stream_limit or lag.seconds > LATE_AFTER_SECONDS:
        summary = f"history is {lag.seconds:.0f} s behind, {waiting}"
        remedy = (
            "See the recorder's log and whether SQL answers; more recorders may run beside this one"
        )
        return Part(name="recorder", ok=False, summary=summary, remedy=remedy, facts=facts)
    aside = (
        f", {counted(dead, 'event')} could not be recorded: see `beatdesk dead-letters list`"
        if dead
        else ""
    )
    return Part(
        name="recorder",
        ok=True,
        summary=f"{counted(len(alive), 'recorder')}, {waiting}{aside}",
        facts=facts,
    )


def recorders(services: Services, now: datetime) -> dict[str, Any]:
    """The recorders that have been heard of lately, by name, with what they said."""
    said = cast("dict[str, str]", services.redis.hgetall(keys.RECORDERS_HASH))
    heard = {name: json.loads(text) for name, text in said.items()}
    return {
        name: facts
        for name, facts in heard.items()
        if now - datetime.fromisoformat(facts["at"]) <= RECORDER_ALIVE_FOR
    }


def sql_part(services: Services) -> Part:
    """Does the history's database answer, with the tables of this version?"""
    from scheduler.history import outage, schema_version

    place = without_password(services.settings.database)
    try:
        step, newest = schema_version.current(services.engine), schema_version.head()
    except Exception as error:
        reason = str(error) if isinstance(error, BeatdeskError) else outage.reason(error)
        if reason is None:
            raise
        remedy = "Bring it back, or mend BEATDESK_DATABASE_URL; runs go on and history catches up"
        return Part(
            name="sql", ok=False, summary=f"{place} does not answer: {reason}", remedy=remedy
        )
    facts: dict[str, JsonValue] = {"step": step, "newest": newest, "url": place}
    if step != newest:
        summary = f"{place} is at step {step or 'none'}, this version needs {newest}"
        return Part(
            name="sql", ok=False, summary=summary, remedy="Run `beatdesk db upgrade`", facts=facts
        )
    return Part(name="sql", ok=True, summary=place, facts=facts)


def _asked(
    name: str, ask: Callable[[Services, datetime], Part], services: Services, now: datetime
) -> Part:
    """The part's answer; Redis may have gone, or may hold what is not ours, since it was asked
    first.
    """
    try:
        return ask(services, now)
    except (RedisError, BeatdeskError, ValueError, KeyError, TypeError) as error:
        remedy = "Run `beatdesk doctor`"
        return Part(
            name=name, ok=False, summary=f"cannot be read from Redis: {error}", remedy=remedy
        )
