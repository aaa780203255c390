"""The keys of the published JSON, on which other people's scripts rely: written down once more so
that a change is noticed.
"""

# The interface's keys, and after `|` what we add: who saved a schedule when, what is wrong with a
# broken entry, the run that a run repeats, the ticks of a row that stands for many, and how far a
# run is.
SCHEDULE_KEYS = {
    "name",
    "uid",
    "revision",
    "origin",
    "job",
    "enabled",
    "when",
    "args",
    "kwargs",
    "queue",
    "priority",
    "policies",
    "window",
    "owner",
    "tags",
    "description",
    "notes",
    "paused",
    "next",
    "last_run",
} | {"updated_at", "updated_by", "problem", "skips", "override"}
POLICY_KEYS = {
    "overlap",
    "catch_up",
    "catch_up_window",
    "starting_deadline",
    "run_timeout",
    "retries",
    "retry_backoff",
    "on_lost",
    "pause_after_failures",
    "jitter",
    "queue_limit",
}
RUN_KEYS = {
    "detail",
    "blocker",
    "tree_state",
    "id",
    "schedule",
    "schedule_uid",
    "revision",
    "job",
    "trigger",
    "actor",
    "state",
    "reason",
    "tick",
    "queued_at",
    "received_at",
    "started_at",
    "finished_at",
    "lateness",
    "duration",
    "worker",
    "queue",
    "args",
    "kwargs",
    "result",
    "error",
    "traceback",
    "attempts",
} | {"parent", "children", "tick_to", "ticks", "progress"}
ATTEMPT_KEYS = {"number", "started_at", "finished_at", "state", "error", "worker"}
