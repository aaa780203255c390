"""The message audit: unfinished runs whose message is gone get a verdict, so that none is stuck.

    open runs (SQL) ─▶ with the broker, in the outbox, or with a worker? ─▶ no, twice ─▶ verdict

    audit     one look: runs without a trace, and those that have had none for long enough
    verdicts  the event that ends such a run: pure
    loop      times of looks, and turns among recorders

A message may be purged, deleted with its queue, taken by a program that is not Beatdesk's, or lost
with Redis. The audit never invents: where SQL is behind the stream, or the broker does not answer,
there is no verdict.
"""
