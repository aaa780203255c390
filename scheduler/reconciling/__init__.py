"""The message audit: unfinished runs whose message is gone get a verdict, so that none is stuck.

    open runs (SQL) ─▶ with the broker, in the outbox, or with a worker? ─▶ no, twice ─▶ verdict

    audit     one look: runs without a trace, and runs without a trace for long enough
    verdicts  the event that ends a run without a trace: pure
    loop      times of looks, and turns among recorders

A message may be purged, deleted with the queue, taken by a program outside of Beatdesk, or lost
with Redis. The audit never guesses: where SQL is behind the stream, or the broker does not answer,
there is no verdict.
"""
