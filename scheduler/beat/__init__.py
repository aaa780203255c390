"""Beatdesk's Beat: every due tick is sent as a run, waits, or gets a verdict, in one Redis script
together with message, event and the entry's next due time.

    due entries in Redis                                                 SQL history
         │ read_due.lua                                                       ▲
         ▼                          fire.lua, one transaction for 100 entries │ recorder
    due_entries ─▶ planner ─▶ transaction ─▶ entry advanced                   │
      DueEntry      │  EntryWrite   │          message in its queue ─▶ worker  │
                    │               └────────▶ events in the stream ──────────┘
                    ├─ fast/             one tick, nothing special: texts filled in
                    └─ dispatch.plan     else: all rules, then a renderer makes the message

**The parts**

    scheduler          the class started by Celery: `scheduler.beat.Scheduler`
    loop               turns: lead or stand by, one pass, sleep, heartbeat
    leader             the election among several Beats: a token with an epoch in RedBeat's own lock
    dispatch_loop      passes: batches of 100 due entries until none is left; the server reads and
                       fires (`script_pipeline`) while the next batch is planned
    due_entries        reads of due entries, complete for the planner
    planner            the decision about each due entry, as an `EntryWrite`
    entry_writes       an entry and its plan as arguments of `fire.lua`
    fast/              the fast path, behind one door and a switch (`fast.path`)
    transaction        the script `fire.lua`; its steps go on from the steps of `dispatch.plan`
    text_list          the script's entries as one argument: a list of texts in MessagePack
    stock/             stock Beat (`-S redbeat.RedBeatScheduler`) with Beatdesk's entries, and the
                       schedules computed by RedBeat alone
    static_entries     entries from `beat_schedule`, written by the leading Beat
    cancelling         runs replaced by a new tick are cancelled, in a thread apart
    wake               an edit, or the end of a run with a waiting tick, ends Beat's sleep
    entry_backoff      after a failed write an entry waits, 0.1 s doubling to 10
    quarantine_retry   an entry in quarantine comes back after a change
    heartbeat, watchdog  the state of this Beat, for the console and for systemd

Three words for three lengths of work: Celery calls for a turn (`Loop.tick`), a turn of the leader
has one pass (`DispatchLoop.run`), and a pass has one read for each batch (`DueEntryReader.fetch`).

A tick keeps its name on the way: `tick` in the plan, in the message's header, in the event and in
the row of history. The forms around a tick are few: `DueEntry` (bytes as read), `Plan` (decision),
`Call` (the arguments for Celery), `EntryWrite` (the arguments for the script), `run.queued`
(event).

**Failure**

- Another Beat has the lock: the script writes nothing, this Beat stands by. Nothing ends a process.
- Redis or the broker is away: the turn ends, Beat waits 0.1 s doubling to 1 and begins anew.
- An entry changed between read and transaction (an edit, another Beat): the entry is left
  untouched, and read again in the next pass.
- The server refuses one entry's message (the queue's key has another type): only this entry backs
  off.
- The server refuses everything (`OOM`, `READONLY`, …): the turn ends as if the server were away.
- An entry cannot be read, computed or sent: quarantine, score -1, with the reason stored.
- The meta was lost: the last run is inferred from the due time (`dispatch.next_look`).
- Redis has lost data: Beat waits for the recorder's check before it fires (`healing`).
- This process dies anywhere: the transaction is done or not, so no tick is lost or sent twice.

**The contract of a renderer** (`kombu_commands.Renderer` and `outbox.OutboxRenderer`, chosen by
`delivery_mode` when a Beat begins to lead)

    class Renderer:
        def __init__(self, app: Celery) -> None
        def render(self, call: Call, now: datetime) -> Rendered
        def reset(self) -> None                              # drop connection and templates
        can_use_templates: bool                              # may templates be used now?
        def template(self, call: Call) -> Template | None    # once one was made
        generation: object                                   # new when templates are out of date

`render` is called for each run before the script sends the run, in the thread of the turn. `render`
sends nothing; a call without carried-out commands leaves no trace but declared queues.
`Call.options` is complete: the entry's own options, the limits of the schedule's policies,
`expires`, `task_id`, and `headers` with `tick`, `beatdesk` and `celery_beat_task`, exactly as stock
Beat calls `apply_async`, or `send_task` for a job without an import.

`Rendered.commands` are run by `fire.lua` unchanged and in order, in the database of the schedules.
The first command may fail: then nothing of the entry is written. Later commands must not fail.
`Rendered.messages` are the messages with an `after_task_publish` signal in Celery, normally one;
each becomes a run.queued. While Celery's own code renders, `worker.sent_runs.collecting()` takes
the place of Beatdesk's receiver of the signal, so the event is not written twice.

`render` raises `Unsendable` for an entry that can never be sent (quarantine), and `NotTaken` for a
key of a type not expected by kombu (back-off). Errors of the broker pass through, since they
concern all entries. Renderers wait at most for the time given by `queues.timeouts`, always less
than the life of the lock.

The outbox renderer makes one XADD to `keys.OUTBOX_STREAM`. While a Beat leads, its `relay.Relay`
publishes the outbox with confirms and deletes published messages. Two relays at a time do no harm
beyond a second copy, dropped by workers (`runs.deduplication`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scheduler.beat.scheduler import Scheduler

__all__ = ["Scheduler"]


def __getattr__(name: str) -> Any:
    """`scheduler.beat.Scheduler`, imported on first use: readers of heartbeats need no RedBeat."""
    if name == "Scheduler":
        from scheduler.beat.scheduler import Scheduler

        return Scheduler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
