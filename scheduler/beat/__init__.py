"""Our Beat: every tick that is due is sent as a run, waits, or gets a verdict, in one Redis script
together with message, event and the entry's next due time.

    due entries in Redis                                                 SQL history
         │ look.lua                                                           ▲
         ▼                          fire.lua, one transaction for 100 entries │ recorder
    due_entries ─▶ planner ─▶ transaction ─▶ entry advanced                   │
      DueEntry      │  EntryWrite   │          message in its queue ─▶ worker  │
                    │               └────────▶ events in the stream ──────────┘
                    ├─ fast/             one tick, nothing special: texts filled in
                    └─ dispatch.plan     else: all rules, then a renderer makes the message

**The parts**

    scheduler          the class that Celery starts: `scheduler.beat.Scheduler`
    loop               one turn: lead or stand by, dispatch, sleep, heartbeat
    leader             which of several Beats leads: a token with an epoch in RedBeat's own lock
    dispatch_loop      batches of 100 due entries until none is left; the server reads and fires
                       (`script_pipeline`) while the next batch is planned
    due_entries        one read of due entries, with all that the planner needs
    planner, entry_writes  an entry and its plan as arguments of `fire.lua`
    fast/              the fast path, behind one door and a switch (`fast.path`)
    transaction        the script `fire.lua`; its steps go on from those of `dispatch.plan`
    stock/             stock Beat (`-S redbeat.RedBeatScheduler`) with our entries, and what only
                       RedBeat computes
    static_entries     entries from `beat_schedule`, written by the Beat that leads
    cancelling         runs that a new tick replaces are cancelled, in a thread of its own
    wake               an edit, or the end of a run that a tick waits for, ends Beat's sleep
    entry_backoff      entries that could not be advanced wait, 0.1 s doubling to 10
    quarantine_retry   entries in quarantine come back once they were changed
    heartbeat, watchdog  the state of this Beat, for the console and for systemd

A tick keeps its name on the way: `tick` in the plan, in the message's header, in the event and in
the row of history. The forms around it are few: `DueEntry` (bytes as read), `Plan` (decision),
`Call` (what Celery would be given), `EntryWrite` (what the script is given), `run.queued` (event).

**Failure**

- Another Beat has the lock: the script writes nothing, this Beat stands by. Nothing ends a process.
- Redis or the broker is away: the turn ends, Beat waits 0.1 s doubling to 1 and begins anew.
- An entry changed between read and transaction (an edit, another Beat): it is left as it is, and
  read again in the next turn.
- The server refuses one entry's message (its queue is another type): that entry backs off, alone.
- The server refuses everything (`OOM`, `READONLY`, …): the turn ends as if the server were away.
- An entry cannot be read, computed or sent: quarantine, score -1, the reason stored beside it.
- The meta was lost: the last run is inferred from the due time (`dispatch.next_look`).
- Redis has lost data: Beat waits for the recorder's check before it fires (`healing`).
- This process dies anywhere: the transaction is done or not, so that no tick is lost or sent twice.

**The contract of a renderer** (`kombu_commands.Renderer` and `outbox.OutboxRenderer`, chosen by
`delivery_mode` when a Beat begins to lead)

    class Renderer:
        def __init__(self, app: Celery) -> None
        def render(self, call: Call, now: datetime) -> Rendered
        def reset(self) -> None                              # drop connection and templates
        can_use_templates: bool                                        # may templates be used now?
        def template(self, call: Call) -> Template | None    # once one was made
        generation: object                                   # new when templates are out of date

`render` is called for each run that is about to be sent, before the script, in the thread that
ticks. It sends nothing, and a call whose commands are not carried out leaves no trace but declared
queues. `Call.options` is complete: the entry's own options, the limits of its policies, `expires`,
`task_id`, and `headers` with `tick`, `beatdesk` and `celery_beat_task`; the same that stock Beat
would give to `apply_async`, or to `send_task` where the job is not imported.

`Rendered.commands` are run by `fire.lua` as they are and in order, in the database of the
schedules. The first may fail: then nothing of the entry is written. All after it must not.
`Rendered.messages` are those of which `after_task_publish` would be sent, normally one: run.queued
is made from them. While Celery's own code renders, `worker.sent_runs.collecting()` catches what our
receiver of that signal gets, so that the event is not written twice.

`render` raises `Unsendable` where this entry can never be sent (quarantine), `NotTaken` where a key
is of another type than kombu expects (back-off). Errors of the broker pass through: they concern
all entries. No renderer waits for longer than `publishing.timeouts` allows, which is less than the
lock lives.

The outbox renderer makes one XADD to `keys.OUTBOX_STREAM`. While a Beat leads, its `relay.Relay`
publishes from there with confirms and deletes what is published. Two relays at a time do no harm
beyond a second copy, which workers drop (`runs.deduplication`).
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
