"""State of Beat, workers, recorder, Redis and SQL; each fault is named with the remedy.

Reads the servers and never raises: an outage is an answer here. Changes nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from pydantic import BaseModel, ConfigDict, JsonValue
from redis.exceptions import RedisError

from scheduler.beat import heartbeat
from scheduler.beat.heartbeat import Heartbeat
from scheduler.errors import BeatdeskError
from scheduler.health import redis_keys
from scheduler.health.recorders import recorders
from scheduler.publishing.outbox import LONG_SECONDS, Backlog, backlog
from scheduler.queues.unread import UnreadQueue
from scheduler.rules.phrases import counted
from scheduler.services.services import Services
from scheduler.settings.errors import without_password
from scheduler.storage import keys
from scheduler.storage.connection_faults import fault_of
from scheduler.storage.server_time import seconds_of
from scheduler.storage.waiting_time import WaitingTime, limited_to, redis_time

LATE_AFTER_SECONDS = 30.0
REDIS_SECONDS = 2.0
"""Seconds for the answers of Redis together."""

_NO_REDIS = "not known: Redis does not answer"


class Part(BaseModel):
    """One part of the system: whether the part is well, why, and the remedy of a fault."""

    model_config = ConfigDict(frozen=True)

    name: str
    ok: bool
    summary: str
    remedy: str = ""
    facts: dict[str, JsonValue] = {}


class Status(BaseModel):
    """All parts, and the lag of SQL; `lag_events` and `lag_seconds` are None without Redis."""

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
        """The parts, in the order of a run's way from Beat to the history."""
        return [self.beat, self.workers, self.recorder, self.redis, self.sql]


def status(
    services: Services,
    now: datetime,
    *,
    redis_seconds: float = REDIS_SECONDS,
    read_sql: Callable[[Services], Part] | None = None,
) -> Status:
    """Read all parts; `read_sql` (`sql_part`) the database's.

    All questions to Redis together take at most `redis_seconds`.
    """
    remedy = "Bring Redis back; what is running goes on and reports then"
    with limited_to(WaitingTime(redis_seconds, within=redis_time())):
        redis = redis_part(services)
        beat, workers, recorder = (
            _part_from_redis(name, read_part, services, now)
            if "version" in redis.facts
            else Part(name=name, ok=False, summary=_NO_REDIS, remedy=remedy)
            for name, read_part in _FROM_REDIS
        )
        sql = (read_sql or sql_part)(services)
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
    """Whether the server of schedules and events answers."""
    place = without_password(services.settings.redis_url)
    try:
        server = services.redis.info("server")
        wrong = redis_keys.fault_of(services.redis)
    except RedisError as error:
        return _no_redis(place, error)
    product = "Valkey" if "valkey_version" in server else "Redis"
    version = str(server.get("valkey_version") or server.get("redis_version") or "?")
    summary = f"{product} {version} at {place}"
    facts: dict[str, JsonValue] = {"product": product, "version": version, "url": place}
    if wrong is not None:
        summary = f"{summary}: {wrong}"
        return Part(name="redis", ok=False, summary=summary, remedy=redis_keys.REMEDY, facts=facts)
    return Part(name="redis", ok=True, summary=summary, facts=facts)


def _no_redis(place: str, error: RedisError) -> Part:
    """The part of a server that cannot be used, with the remedy for the kind of error."""
    fault = fault_of(error)
    facts: dict[str, JsonValue] = {"fault": fault.kind, "url": place}
    if fault.kind in ("other", "refused"):
        remedy = (
            "Start it, or set BEATDESK_REDIS_URL to one that runs (`beatdesk up` brings its own)"
        )
        summary = f"{place} does not answer: {error}"
    else:
        remedy = fault.remedy_for("BEATDESK_REDIS_URL")
        summary = f"{place} cannot be used, {fault.words}: {error}"
    return Part(name="redis", ok=False, summary=summary, remedy=remedy, facts=facts)


def beat_part(services: Services, now: datetime) -> Part:
    """Return whether a Beat holds RedBeat's lock.

    Each tick renews the lock, so the time to live of the lock gives the age of the last tick.
    Beatdesk's own Beat adds path, epoch, lag and stand-bys.
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
    leader = next((beat for beat in beats if str(holder).endswith(f":{beat.name}")), None)
    if leader is not None:
        return _our_beat(leader, sum(not beat.leads for beat in beats), aside, summary, facts)
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
    leader: Heartbeat, stand_bys: int, aside: int, summary: str, facts: dict[str, JsonValue]
) -> Part:
    """The part of a leader of our class, from its heartbeat and the lock."""
    facts |= {
        "path": leader.delivery_mode,
        "epoch": leader.epoch,
        "lag_seconds": round(leader.lag, 3),
    }
    facts |= {"stand_bys": stand_bys, "set_aside": aside}
    waiting = Backlog(leader.waiting, leader.waiting_seconds)
    if leader.delivery_mode == "outbox" or waiting.entries:
        facts |= _outbox_facts(waiting)
    if waiting.seconds > LONG_SECONDS:
        remedy = (
            "Bring the broker back, if it is away; runs stay in the outbox, and are published then"
        )
        late = f"leading, but {_waiting(waiting)}" + (
            f": {leader.blocked_by}" if leader.blocked_by else ""
        )
        return Part(name="beat", ok=False, summary=late, remedy=remedy, facts=facts)
    if leader.delivery_mode == "atomic" and leader.blocked_by:
        remedy = "Bring the broker back; what is due is sent then"
        return Part(
            name="beat",
            ok=False,
            summary=f"leading, but cannot send: {leader.blocked_by}",
            remedy=remedy,
            facts=facts,
        )
    if leader.lag > LATE_AFTER_SECONDS:
        remedy = (
            "See Beat's log: what is due does not come into its queue, or is more than one Beat "
            "can send"
        )
        late = f"leading, but runs are {leader.lag:.0f} s late"
        return Part(name="beat", ok=False, summary=late, remedy=remedy, facts=facts)
    summary += f", path {leader.delivery_mode}, epoch {leader.epoch}"
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
    """Whether workers are alive, and how busy."""
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
    refilled = services.catalogue.refilled_at()
    if refilled is not None:
        facts["catalogue_refilled_at"] = refilled.isoformat()
        summary += f"; the catalogue was empty, and published again at {refilled:%H:%M:%S} UTC"
    unread = services.unread_queues.current(now)
    if unread:
        facts["unread_queues"] = [_queue_fact(queue) for queue in unread]
        names = ",".join(queue.name for queue in unread)
        remedy = (
            f"Start a worker for it: celery -A scheduler worker -Q {names}; or move its schedules "
            "to another queue: beatdesk schedules edit NAME --queue QUEUE --move-waiting"
        )
        sentences = "; ".join(queue.words for queue in unread)
        return Part(
            name="workers",
            ok=False,
            summary=f"{summary}, but {sentences}",
            remedy=remedy,
            facts=facts,
        )
    return Part(name="workers", ok=True, summary=summary, facts=facts)


def _queue_fact(queue: UnreadQueue) -> dict[str, JsonValue]:
    return {"queue": queue.name, "since": queue.since.isoformat(), "waiting": queue.waiting}


def recorder_part(services: Services, now: datetime) -> Part:
    """Whether a recorder is alive, and how far behind."""
    alive = recorders(services, now)
    lag = services.events.lag()
    dead = services.events.dead_letter_count()
    facts: dict[str, JsonValue] = {
        "recorders": cast(JsonValue, alive),
        "lag_events": lag.events,
        "lag_seconds": round(lag.seconds, 3),
        "dead_letters": dead,
        "from_newer_version": services.events.newer_count(),
    }
    waiting = f"{counted(lag.events, 'event')} waiting" if lag.events else "nothing waits"
    if not alive:
        summary = f"no recorder is running, {waiting}"
        remedy = "Start one: beatdesk recorder; no event is lost until then"
        return Part(name="recorder", ok=False, summary=summary, remedy=remedy, facts=facts)
    problems = [str(beat["problem"]) for beat in alive.values() if beat.get("problem")]
    if len(problems) == len(alive):
        remedy = (
            "It goes on by itself as soon as SQL answers; runs go on, and no event is lost until "
            "then"
        )
        return Part(
            name="recorder",
            ok=False,
            summary=f"cannot write: {problems[0]}; {waiting}",
            remedy=remedy,
            facts=facts,
        )
    if lag.events >= services.settings.stream_limit or lag.seconds > LATE_AFTER_SECONDS:
        summary = f"history is {lag.seconds:.0f} s behind, {waiting}"
        remedy = (
            "See the recorder's log and whether SQL answers; more recorders may run beside this one"
        )
        return Part(name="recorder", ok=False, summary=summary, remedy=remedy, facts=facts)
    summary = f"{counted(len(alive), 'recorder')}, {waiting}"
    if facts["from_newer_version"]:
        newer = counted(cast("int", facts["from_newer_version"]), "event")
        summary += f", {newer} from a newer version: recorded by themselves after an upgrade"
    if dead:
        return _with_dead_letters(summary, dead, facts)
    return Part(name="recorder", ok=True, summary=summary, facts=facts)


def _with_dead_letters(summary: str, dead: int, facts: dict[str, JsonValue]) -> Part:
    """The recorder's part where events stand aside."""
    return Part(
        name="recorder",
        ok=False,
        summary=f"{summary}, but {counted(dead, 'event')} could not be recorded: see `beatdesk "
        "dead-letters list`",
        remedy="See `beatdesk dead-letters list` for the reasons, then retry them (after an "
        "upgrade, say) or drop them: until then the history lacks what they say",
        facts=facts,
    )


def sql_part(services: Services) -> Part:
    """Whether the history's database answers, with the tables of this version."""
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
    if wrong := _wrong_history(services):
        problem, _, remedy = wrong.partition("; ")
        return Part(name="sql", ok=False, summary=f"{place}: {problem}", remedy=remedy, facts=facts)
    if step != newest:
        summary = f"{place} is at step {step or 'none'}, this version needs {newest}"
        return Part(
            name="sql", ok=False, summary=summary, remedy="Run `beatdesk db upgrade`", facts=facts
        )
    return Part(name="sql", ok=True, summary=place, facts=facts)


def _wrong_history(services: Services) -> str | None:
    """Return why the database is not the history into which runs were recorded, with the remedy.

    None for the right database, and where Redis does not answer.
    """
    try:
        return services.history_problem()
    except RedisError:
        return None


def _part_from_redis(
    name: str, read_part: Callable[[Services, datetime], Part], services: Services, now: datetime
) -> Part:
    """Return the part that `read_part` reads.

    Redis may have gone since the part `redis` was read, or may hold foreign data.
    """
    try:
        return read_part(services, now)
    except (RedisError, BeatdeskError, ValueError, KeyError, TypeError) as error:
        remedy = "Run `beatdesk doctor`"
        return Part(
            name=name, ok=False, summary=f"cannot be read from Redis: {error}", remedy=remedy
        )


_FROM_REDIS = (("beat", beat_part), ("workers", workers_part), ("recorder", recorder_part))
