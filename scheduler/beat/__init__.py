"""How our Beat fires: one Redis transaction takes an entry past its tick, puts its message in the
queue and says so.

    leader      who of several Beats fires: a token with an epoch, in RedBeat's own lock
    chunk       up to 100 due entries: read in one round trip, planned by `dispatch.plan`, fired by one script
    rounds      chunk after chunk; the server looks and fires (`line`) while the next chunk is planned
    known       entries that were decoded, by the bytes that they were decoded from
    routine     runs that differ from the last one in run and times only: texts made once, and filled in
    fire.lua    per entry: fence, compare, push, advance, event; whole or not at all (`steps` has its arguments)
    calls       what is sent, before and after it is a message: the types between the modules here
    messages    a call -> the Redis commands that kombu would send for it
    outbox      a call -> an entry of the outbox stream, for brokers that are not this Redis; the relay publishes it
    patience    how long a broker is waited for: never for as long as the lock lives
    cancelling  runs that a due tick replaces are asked to end, beside the loop
    wake        an edit, or the end of a run that a tick waits for, ends Beat's sleep

**What a renderer is** (`messages.Renderer` and `outbox.OutboxRenderer`, chosen once the Beat leads,
by `way.choose`):

    class Renderer:
        def __init__(self, app: Celery) -> None
        def render(self, call: Call, now: datetime) -> Rendered
        def reset(self) -> None         # forget connection and templates: the broker was away, or is another one
        repeats: bool                   # may messages be made from templates, without asking anybody?
        def template(self, call: Call) -> Template | None       # what this call's can be made from, once one was made
        generation: object              # another one where templates that were given out hold no more

`render` is called for each run that is about to be sent, before the script, in the thread that
ticks. It must not send anything, and a call whose commands are then not carried out must leave no
trace beside declared queues. `Call.options` is complete: the entry's own options, policies' limits,
`expires`, `task_id`, and `headers` with `tick`, `beatdesk` and `celery_beat_task`; they are what
stock would give to `apply_async`, or to `send_task` where the job is not imported.

`Rendered.commands` are run by fire.lua, as they are, in order, in the database of the schedules:
name and arguments, as text or bytes (LPUSH, PUBLISH, PEXPIRE, XADD …). The first may fail (the
script asks `pcall`), and then nothing of the entry is written and Beat looks at it again later; all
after it must not. `Rendered.messages` are those that `after_task_publish` would have told of,
normally one: run.queued is made from them, within the transaction. While a message is rendered by
Celery's own code, `worker.signals.collecting()` catches what our receiver of `after_task_publish`
is told, so that the event is not written twice; that receiver (`app.run_signals.published`, where
the app has `run_signals`) is no reason to leave the fast way.

`render` raises `Unsendable` with the reason where this entry can never be sent (its options are not
what Celery takes): the entry is set aside; `NotTaken` where a key is of another type than kombu
expects: Beat tries again, later and later. What is broken for all (the broker does not answer:
kombu's OperationalError) passes through: Beat backs off, asks again, and says meanwhile that it
lives, and why it sends nothing. No renderer waits for longer than `patience` says.

The outbox renderer answers with one XADD to `keys.OUTBOX_STREAM`. A `relay.Relay` of each
leadership runs in a thread of the Beat that leads, publishes with confirms (`publisher`), and
deletes what is published. A leader that is none any more calls `stop()`; two relays at a time do no
harm beyond a second copy: workers drop it (`runs.deduplication`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scheduler.beat.scheduler import Scheduler

__all__ = ["Scheduler"]


def __getattr__(name: str) -> Any:
    """`scheduler.beat.Scheduler`, loaded when it is asked for: who reads heartbeats needs no
    RedBeat.
    """
    if name == "Scheduler":
        from scheduler.beat.scheduler import Scheduler

        return Scheduler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
