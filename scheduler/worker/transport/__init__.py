"""The claiming transport: kombu's transport for Redis, without losses by killed workers.

    kombu:  BRPOP ───────────────▶ the worker has the message ──▶ HSET + ZADD: noted
                                   (killed here: lost)
    ours:   one script: RPOP, noted, and the run's lease ──▶ the worker has the message

| module | what it does |
| --- | --- |
| `channel` | claims messages (`claim.lua`), and waits for the next message |
| `qos` | acknowledges (`settle.lua`), and gives back (`give_back.lua`) |
| `redis` | kombu's poller and transports, with the claiming channel |

**Waiting.** Between two claims the server announces a change of the lists (CLIENT TRACKING, once
after each EXISTS). The announcement carries no message, so no message is lost with it, and no list
is touched, so no message changes places. An announcement covers all lists of all priorities at
once; no blocking command does so without taking the message out (BLMOVE of a message onto its own
list waits for a single list). Once a second the worker looks anyway.

**Failure.** Whichever process is killed, a message is in its list or among the unacknowledged
messages, where every worker looks for old ones. The lease of a message's run tells whether a worker
has the run: a message that comes back too early waits, and the message of an ended run is dropped.

Messages, lists and notes are kombu's, byte for byte: workers with kombu's transport may read the
queues too, and publishing is kombu's own.
"""
