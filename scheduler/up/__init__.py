"""`beatdesk up`: all processes of one machine under one supervisor.

    lock ─▶ valkey ─▶ tables ─▶ recorder ─▶ worker ─▶ examples ─▶ beat ─▶ web ─▶ address
    stop:  beat, web, worker (its jobs finish), recorder (the stream is empty), valkey

Each child starts when the child before is ready, by a fact (a heartbeat in Redis, the lock, a page)
and not by a timer. A child that dies is started again after a pause, longer each time, with a line
in the log.

When the supervisor is killed and cannot stop the children, the orphan reaper stops them: a process
that sees its pipe close and stops the children in the same order. The orphan reaper also holds the
lock on the data folder, so that a new `up` waits until the last child of the old one is gone, and
two servers never write one append-only file.

    children       the commands, their readiness and how they are stopped
    embedded       the embedded Valkey server
    supervisor     start, watch, stop
    orphan_reaper  stop, when the supervisor was killed
    console        the lines of all children on one terminal

Beatdesk runs without `up` too: each child is an ordinary command.
"""
