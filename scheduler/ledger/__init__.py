"""The watcher of the ledger: every tick has exactly one row of the history, also while nobody deals
with it.

    schedules in Redis ─┐
    rows in SQL ────────┼─▶ watcher ──▶ open spans: the ticks of a pause, of a switched-off schedule
    revisions in SQL ───┘               and of an absence of Beat, as one row that grows
                                    ──▶ verdicts on ticks that were passed over and have no row

Beat and operators write the verdicts on ticks in the transaction that passes them, and what they
say counts more. The watcher writes only where the stream is recorded up to its look, and never
about a tick that has a row, a lease or a place among the waiting ticks.

`spans` and `holes` decide and are pure; `watcher` reads and writes; `loop` takes turns.
"""
