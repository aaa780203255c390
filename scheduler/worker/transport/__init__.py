"""The claiming transport: kombu's transport for Redis, with messages that a killed worker cannot
lose.

    kombu:  BRPOP ───────────────▶ the worker has the message ──▶ HSET + ZADD: it is noted
                                   (killed here, it is lost)
    ours:   one script: RPOP, noted, and the run's lease ──▶ the worker has the message

| module | what it does |
| --- | --- |
| `channel` | claims messages (`claim.lua`), and waits for the next one |
| `qos` | acknowledges (`settle.lua`), and gives back (`give_back.lua`) |
| `redis` | kombu's poller and transports, with this channel |

**Waiting.** Between two claims the server announces a change of the lists (CLIENT TRACKING, once
after each EXISTS). The announcement carries no message, so that nothing is lost with it, and no
list is touched, so that nothing changes its place; it covers all lists of all priorities at once,
which no blocking command does without taking the message out (BLMOVE of a message onto itself
waits for one list only). Once a second the worker looks anyway.

**Failure.** Whatever is killed, a message is in its list or among the unacknowledged ones, where
every worker looks for old ones. Its run's lease says whether a worker has it; so a message that
comes back too early waits, and one whose run has ended is dropped.

Messages, lists and notes are those of kombu, byte for byte: workers with kombu's transport may read
the same queues, and publishing is kombu's own.
"""
