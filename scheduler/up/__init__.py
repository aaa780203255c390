"""`beatdesk up`: all processes of one machine under one supervisor.

    lock ─▶ valkey ─▶ tables ─▶ recorder ─▶ worker ─▶ examples ─▶ beat ─▶ web ─▶ address
    stop:  beat, web, worker (its jobs finish), recorder (the stream is empty), valkey

Each child starts once the child before is ready, by a fact (a heartbeat in Redis, the lock, a page)
and not by a timer. A dead child is started again after a pause, longer each time, with a line in
the log.

After a kill of the supervisor the orphan reaper stops the children: a process that notices the end
of its pipe, and stops the children in order. The orphan reaper also holds the lock on the data
folder, so a new `up` waits for the end of the last old child, and two servers never write one
append-only file.

    children       the commands, their readiness and their stop
    embedded       the embedded Valkey server
    supervisor     start, watch, stop
    orphan_reaper  stop, after a kill of the supervisor
    console        the lines of all children on one terminal

Beatdesk runs without `up` too: each child is an ordinary command.
"""
