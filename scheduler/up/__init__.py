"""`beatdesk up`: all processes of one machine under one supervisor.

    lock ─▶ valkey ─▶ tables ─▶ recorder ─▶ worker ─▶ examples ─▶ beat ─▶ web ─▶ address
    stop:  beat, web, worker (its jobs finish), recorder (the stream is empty), valkey

Each waits for the one before to be ready, which is asked of the thing itself (a heartbeat in Redis,
the lock, a page) and not of a timer. A child that dies is started again, later each time, and it is
said so.

When the supervisor is killed, so that it cannot stop anything, the warden does: a process that
hears the pipe close and stops the children in the same order. The lock on the data folder is the
warden's too, so that a new `up` waits until the last child of the old one is gone, and two servers
never write one append-only file.

    children    what runs, with which arguments, and when it is ready
    embedded    the Valkey server that comes with us
    supervisor  start, watch, stop
    warden      stop, when the supervisor cannot
    console     the lines of all children on one terminal

Nothing of this is needed to run Beatdesk: each child is an ordinary command.
"""
