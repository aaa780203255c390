"""The rows of semantics.md, each with the tests that hold it."""

ROWS_FIRED = "integration/schedules/test_semantics_rows.py::"
LEDGER = "unit/history/test_ledger_rows.py::"
DISPATCH = "unit/dispatch/test_dispatch.py::"
AT_DISPATCH = "integration/schedules/test_policies_at_dispatch.py::"
AT_START = "integration/runs/test_policies_at_start.py::"
ON_WORKER = "integration/runs/test_policies_on_worker.py::"
HOW_JOBS_END = "integration/runs/test_how_jobs_end.py::"
DIALECT = "unit/rules/test_dialect.py::"
CATCH_UP = "unit/rules/test_catch_up.py::"
PROPERTIES = "unit/rules/test_ticks_properties.py::"
EVERYWHERE = "unit/rules/test_ticks_everywhere.py::"
STORE = "integration/schedules/test_store.py::"
BEAT = "integration/schedules/test_beat_entry.py::"
OPERATIONS = "integration/schedules/test_operations.py::"
STATICS = "integration/schedules/test_static_entries.py::"
CALENDARS = "integration/schedules/test_calendars.py::"
PAUSING = "integration/cli/test_schedules_pausing.py::"
BACKFILL = "integration/schedules/test_backfill.py::"
CHANGES = "unit/schedules/test_changes.py::"

WORDS = {
    "run: the run of a tick has the id uuid5(schedule id, nominal time)": [
        "unit/rules/test_identity.py::test_a_run_of_a_tick_has_one_id_whoever_computes_it",
        BEAT + "test_a_due_schedule_is_sent_once_and_says_which_tick_it_is",
    ],
    "tick: nominal time, the same on a retry": [
        ON_WORKER + "test_a_job_that_fails_is_tried_again_as_often_as_its_schedule_says"
    ],
    "attempt: a retry is a new attempt of the same run": [
        "unit/history/test_projector.py::test_a_retry_is_an_attempt_of_the_same_run"
    ],
    "revision: every run names the one that fired it": [
        BEAT + "test_a_due_schedule_is_sent_once_and_says_which_tick_it_is"
    ],
    "lease: proof, renewed, that a run is alive": [
        ON_WORKER + "test_a_long_run_keeps_its_lease_and_that_of_a_killed_worker_is_lost",
        AT_DISPATCH
        + "test_a_run_that_somebody_starts_counts_as_alive_from_when_it_is_sent_until_its_end",
    ],
}

THE_LEDGER = {
    "state queued": [LEDGER + "state: queued, its message waits"],
    "state running": [LEDGER + "state: running, an attempt has begun"],
    "state retrying": [LEDGER + "state: retrying, another attempt follows"],
    "state succeeded": [LEDGER + "state: succeeded"],
    "state failed": [LEDGER + "state: failed, no attempt is left"],
    "state skipped": [LEDGER + "state: skipped, its worker did not start it"],
    "state expired": [LEDGER + "state: expired, it came too late to a worker"],
    "state revoked": [LEDGER + "state: revoked, somebody ended it"],
    "state lost": [
        LEDGER + "state: lost, nothing was heard of it any more",
        AT_DISPATCH
        + "test_a_tick_whose_message_never_came_to_a_queue_is_lost_with_all_that_is_known_of_it",
    ],
    "skipped: overlap": [LEDGER + "skipped: overlap, a run before it was not final"],
    "skipped: paused": [LEDGER + "skipped: paused"],
    "skipped: disabled": [LEDGER + "skipped: disabled, the schedule was switched off"],
    "skipped: window": [LEDGER + "skipped: window"],
    "skipped: calendar": [LEDGER + "skipped: calendar"],
    "skipped: operator": [
        LEDGER + "skipped: operator, who skipped it or switched the schedule off"
    ],
    "skipped: finished": [LEDGER + "skipped: finished, no run is left"],
    "missed: scheduler_down": [LEDGER + "missed: scheduler_down"],
    "missed: deadline": [LEDGER + "missed: deadline, older than the window"],
    "missed: coalesced": [LEDGER + "missed: coalesced, a later tick ran for it"],
    "missed: unrecorded": [LEDGER + "missed: unrecorded, nothing is recorded of it"],
    "missed: broker": [LEDGER + "missed: broker, its message could not be sent"],
    "every tick ends with exactly one row": [
        CATCH_UP + "test_every_tick_ends_in_exactly_one_place"
    ],
    "no tick has none, also where an edit lets Beat begin anew": [
        CHANGES + "test_no_tick_that_a_change_lets_beat_pass_over_goes_without_a_verdict",
        STORE + "test_switching_off_and_on_again_fires_nothing_that_was_missed",
    ],
    "ticks of a pause, and of a long absence, are one row for the range": [
        LEDGER + "test_ticks_that_became_no_run_are_one_row_for_the_range_with_the_reason",
        CATCH_UP + "test_a_month_of_minutes_is_one_range",
        PAUSING + "test_by_default_what_a_pause_held_back_is_skipped_as_one_range",
    ],
}

KINDS = {
    "crontab": [ROWS_FIRED + "kinds: crontab, five fields"],
    "interval": [
        ROWS_FIRED + "kinds: interval, anchor + n * every, no clock change touches it",
        ROWS_FIRED + "test_kinds_an_interval_is_stable_over_edits_that_keep_every",
        BEAT + "test_an_interval_does_not_drift_however_late_it_is_sent",
    ],
    "one-off": [
        ROWS_FIRED + "kinds: one-off, one tick at one instant",
        ROWS_FIRED + "test_kinds_a_one_off_is_finished_kept_and_can_be_armed_again",
        DISPATCH + "test_a_one_off_whose_memory_is_lost_is_not_fired_twice",
    ],
    "rrule": [ROWS_FIRED + "kinds: rrule in a real zone, through a clock change"],
    "any kind: starts_at and ends_at": [
        ROWS_FIRED + "kinds: any kind may have starts_at and ends_at"
    ],
    "any kind: max_runs": [
        ROWS_FIRED + "kinds: any kind may have max_runs",
        DISPATCH + "test_held_ticks_use_up_the_runs_that_are_left",
    ],
    "any kind: a named exclusion calendar": [
        CALENDARS + "test_a_tick_in_the_calendar_is_skipped_and_an_edit_lets_the_next_one_run"
    ],
    "entries of plain RedBeat code are listed, shown, run and edited as they are": [
        BEAT + "test_an_entry_of_plain_redbeat_code_is_fired_and_named",
        BEAT + "test_an_entry_that_never_ran_runs_at_once_as_in_stock",
        ROWS_FIRED + "test_kinds_a_rrule_of_plain_redbeat_code_is_shown_run_and_edited_as_it_is",
        "integration/schedules/test_foreign_entries.py::test_an_entry_of_plain_redbeat_code_is_edited_as_it_is",
    ],
}

THE_DIALECT = {
    "what Celery accepts means what it means in Celery": [
        DIALECT + "test_what_celery_accepts_means_what_it_means_in_celery"
    ],
    "7 for Sunday, any white space": [ROWS_FIRED + "dialect: 7 for Sunday, any white space"],
    "@hourly and its like": [
        ROWS_FIRED + "dialect: @weekly",
        DIALECT + "test_other_ways_to_write_what_celery_can_say",
    ],
    "?": [ROWS_FIRED + "dialect: ?"],
    "L": [ROWS_FIRED + "dialect: L, the last day of the month"],
    "5L": [ROWS_FIRED + "dialect: 5L, the last Friday, in a zone"],
    "mon#2": [ROWS_FIRED + "dialect: mon#2, the second Monday"],
    "H": [
        ROWS_FIRED + "test_dialect_h_has_one_place_per_schedule_and_both_texts_are_kept",
        DIALECT + "test_h_keeps_to_its_range",
        DIALECT + "test_h_with_a_step_begins_within_the_first_step",
        DIALECT + "test_a_place_is_stable_for_ever",
    ],
    "day_match and": [ROWS_FIRED + "dialect: day_match and, as in Celery"],
    "day_match or": [
        ROWS_FIRED + "dialect: day_match or, as in Vixie cron",
        DIALECT + "test_or_is_vixie_crons_reading",
    ],
    "the editor warns, with dates, where the two readings differ": [
        "unit/rules/test_warnings.py::test_the_trap_of_two_day_fields_in_both_readings_with_dates"
    ],
    "ranges are checked before they are expanded": [
        "unit/rules/test_wrong_lines.py::test_ranges_are_checked_before_they_are_expanded"
    ],
    "what never fires is refused": [
        ROWS_FIRED + "test_dialect_what_cannot_be_meant_is_refused_and_nothing_is_stored"
    ],
}

ZONES = {
    "Celery runs in UTC": ["unit/celery_app/test_app.py::test_celery_lives_in_utc"],
    "each schedule has its own zone": [ROWS_FIRED + "zones: each schedule has its own"],
    "sub-daily: elapsed time, nothing is lost": [
        ROWS_FIRED + "clock changes: sub-daily runs by elapsed time over the gap"
    ],
    "sub-daily: both repeats run": [
        ROWS_FIRED + "clock changes: sub-daily runs in both repeated hours"
    ],
    "a fixed time in the gap: the first instants after it": [
        ROWS_FIRED + "clock changes: 02:15 and 03:15 stay two runs, 03:00 and 03:15",
        ROWS_FIRED + "clock changes: a gap of half an hour",
    ],
    "a fixed time in the repeated hour: once, the first time": [
        ROWS_FIRED + "clock changes: a fixed time in the repeated hour runs once, the first time"
    ],
    "dst_gap": [ROWS_FIRED + "clock changes: dst_gap skip"],
    "dst_repeat": [ROWS_FIRED + "clock changes: dst_repeat both"],
    "auto is Debian cron's rule, over every zone": [
        PROPERTIES + "test_auto_is_debian_crons_rule_around_every_change_of_every_zone",
        EVERYWHERE + "test_each_wanted_difference_is_where_the_table_says",
    ],
}

PREVIEW = {
    "each previewed tick is due at that second and not one second before": [
        PROPERTIES + "test_each_previewed_tick_is_due_at_that_second_and_not_one_second_before",
        ROWS_FIRED + "test_a_row_of_the_semantics_fires_at_its_moments_and_not_a_second_before",
    ],
    "the previewed ticks are those that fire": [
        "unit/rules/test_preview.py::test_the_previewed_ticks_are_those_that_fire"
    ],
}

OVERLAP = {
    "the whole table": [
        "unit/rules/test_overlap.py::test_the_verdict_on_a_tick",
        DISPATCH + "test_overlap",
    ],
    "skip": [
        AT_DISPATCH + "test_with_skip_there_is_one_message_in_the_queue_however_long_no_worker_runs"
    ],
    "allow": [AT_DISPATCH + "test_with_allow_every_tick_is_sent"],
    "queue_one": [
        AT_DISPATCH
        + "test_with_queue_one_the_first_tick_waits_and_is_sent_at_once_when_the_run_has_ended"
    ],
    "queue_all": [
        AT_DISPATCH + "test_with_queue_all_ticks_wait_in_order_up_to_the_limit",
        "unit/rules/test_overlap.py::test_queue_all_keeps_a_hundred_unless_told_otherwise",
    ],
    "cancel_previous": [
        AT_DISPATCH
        + "test_with_cancel_previous_the_run_before_is_asked_to_end_and_the_newest_tick_waits_for_that",
        ON_WORKER + "test_a_held_tick_starts_when_the_run_before_it_was_asked_to_end",
    ],
    "queued counts": [
        ON_WORKER
        + "test_a_run_is_alive_from_beat_to_its_end_and_the_next_tick_is_skipped_meanwhile"
    ],
    "strictly, at the start on the worker": [
        "unit/rules/test_admit.py::test_a_tick_of_the_schedule_is_asked_everything",
        AT_START + "test_two_workers_that_take_two_messages_at_once_start_one_of_them",
        AT_START
        + "test_with_a_policy_that_keeps_ticks_the_second_one_waits_for_the_end_of_the_first",
        AT_START + "test_with_allow_both_run_at_a_time",
    ],
    "a lease that has expired is not alive": [
        AT_DISPATCH + "test_a_run_whose_lease_has_run_out_holds_up_nobody_and_is_lost"
    ],
    "workers that were down find no pile": [
        "unit/rules/test_overlap.py::test_with_skip_there_is_never_a_pile"
    ],
}

CATCHING_UP = {
    "latest": [DISPATCH + "test_latest_sends_the_newest_tick_and_rules_on_the_others"],
    "none": [
        DISPATCH + "test_none_sends_what_is_on_time_only",
        AT_DISPATCH + "test_with_none_what_was_due_while_beat_was_away_is_missed",
    ],
    "all, oldest first, as queue_all": [
        DISPATCH + "test_all_sends_the_oldest_and_holds_the_others_in_order",
        AT_DISPATCH
        + "test_catching_up_on_all_sends_the_oldest_first_and_each_when_the_one_before_has_ended",
    ],
    "outside the window: missed: deadline": [
        CATCH_UP + "test_what_is_older_than_the_window_is_missed_whatever_the_policy"
    ],
    "resuming never fires at once by itself": [
        OPERATIONS + "test_a_resumed_schedule_waits_for_its_next_tick",
        CHANGES + "test_a_longer_window_and_the_end_of_a_pause_fire_nothing_at_once",
    ],
    "re-enabling never fires at once by itself": [
        STORE + "test_switching_off_and_on_again_fires_nothing_that_was_missed"
    ],
    "due before a pause that ended by itself": [
        DISPATCH
        + "test_ticks_that_were_due_before_a_pause_began_are_caught_up_with_and_not_called_paused"
    ],
    "a lost memory fires nothing out of turn": [
        DISPATCH + "test_where_nothing_tells_ticks_count_from_now_on_and_none_is_fired_out_of_turn",
        AT_DISPATCH + "test_an_entry_that_has_lost_its_memory_fires_its_due_tick_and_no_other",
    ],
}

FOUR_CLOCKS = {
    "starting_deadline": [
        ON_WORKER + "test_a_run_that_comes_too_late_to_its_worker_expires",
        AT_START + "test_a_tick_that_is_late_for_its_worker_expires_and_does_not_count_as_skipped",
        AT_DISPATCH + "test_a_message_that_no_worker_took_in_time_has_expired",
        DISPATCH + "test_a_tick_whose_run_could_not_start_in_time_is_missed",
    ],
    "run_timeout, soft then hard, of one attempt": [
        ON_WORKER
        + "test_a_job_that_takes_too_long_is_stopped_and_the_next_attempt_has_the_same_limit",
        "unit/runs/test_limits.py::test_a_deadline_a_time_limit_and_further_attempts_travel_in_the_message",
    ],
    "retries, on top of the task's own, with backoff and jitter": [
        ON_WORKER + "test_a_job_that_fails_is_tried_again_as_often_as_its_schedule_says",
        ON_WORKER + "test_attempts_of_the_schedule_come_on_top_of_those_of_the_task",
        ON_WORKER
        + "test_a_job_whose_process_is_killed_or_ended_for_its_hard_limit_is_tried_again_as_its_schedule_says_"
        "and_no_longer",
        "unit/rules/test_delays.py::test_each_wait_is_twice_the_one_before_up_to_a_day",
    ],
    "on_lost, for a process that its job has ended: retries have the last word": [
        "unit/rules/test_loss.py::test_a_schedule_without_retries_allows_none",
        HOW_JOBS_END + "test_a_job_of_a_schedule_without_retries_that_ends_its_process_runs_once",
        HOW_JOBS_END + "test_a_job_whose_process_ends_is_tried_again_as_its_schedule_says",
        HOW_JOBS_END + "test_a_job_that_must_not_run_twice_is_not_tried_again",
    ],
    "pause_after_failures": [
        ON_WORKER + "test_a_schedule_whose_ticks_fail_pauses_itself_and_says_why"
    ],
}

ACTIONS = {
    "pause, with reason and optional end": [
        PAUSING + "test_a_pause_says_why_and_by_whom_and_nothing_is_due",
        OPERATIONS + "test_a_pause_that_ends_by_itself_skips_its_ticks_and_the_next_one_runs",
    ],
    "pause, switching off, skipping and deleting hold what waits in a queue": [
        AT_START
        + "test_a_tick_does_not_start_when_its_schedule_is_paused_off_skipped_or_deleted_meanwhile",
        AT_START + "test_what_an_operator_asked_for_is_not_held_by_a_pause",
    ],
    "resume: skip": [PAUSING + "test_by_default_what_a_pause_held_back_is_skipped_as_one_range"],
    "resume: latest": [PAUSING + "test_the_latest_or_all_of_them_may_run_after_all"],
    "resume: all": [
        OPERATIONS
        + "test_runs_of_ticks_in_the_pause_are_sent_once_the_oldest_first_and_each_after_the_one_before"
    ],
    "pause everything": [
        "integration/cli/test_schedules_pause_all.py::test_everything_that_is_on_is_paused_and_comes_back"
    ],
    "run now, any arguments, marked manual with who": [
        "integration/runs/test_control.py::test_a_run_by_hand_names_its_schedule_and_who_wanted_it",
        "integration/runs/test_control.py::test_a_run_by_hand_may_have_arguments_of_its_own",
    ],
    "run again, also with edited arguments": [
        "integration/cli/test_runs_again.py::test_a_run_runs_again_with_its_own_arguments_and_names_its_parent",
        "integration/cli/test_runs_again.py::test_or_with_others",
    ],
    "skip one coming tick": [OPERATIONS + "test_a_skipped_tick_is_not_sent_and_says_who_wanted_it"],
    "backfill, with a preview of the count": [
        "integration/cli/test_schedules_backfilling.py::test_the_count_is_said_first_and_a_dry_run_starts_nothing"
    ],
    "backfill, with its own overlap policy": [
        BACKFILL + "test_each_tick_starts_when_the_run_before_it_has_ended_also_under_another_beat",
        BACKFILL + "test_all_at_once_puts_every_run_in_the_queue_and_each_counts_as_alive",
        BACKFILL + "test_a_tick_that_waits_or_has_a_run_gets_no_second_one",
    ],
    "cancel a run": [
        "integration/runs/test_worker_life.py::test_a_run_that_is_cancelled_while_it_runs_is_ended"
    ],
    "clone": [
        "integration/webadmin/test_schedules_editor.py::"
        "test_a_clone_starts_as_the_other_one_and_is_a_schedule_of_its_own"
    ],
    "bulk": [
        "integration/cli/test_schedules_bulk.py::test_with_one_refusal_nothing_is_changed_and_each_is_told",
        "integration/webadmin/test_schedules_pausing.py::test_a_selection_is_paused_with_one_reason_and_resumed",
    ],
    "edits apply to later ticks": [STORE + "test_a_new_time_takes_effect_from_now_on"],
    "static entries: code owns them, the operator may pause them": [
        STATICS + "test_a_paused_static_entry_stays_paused_when_beat_starts_again"
    ],
    "static entries: an override, visible as one": [
        STATICS + "test_an_override_says_which_fields_are_the_operators",
        STATICS + "test_beat_sends_what_the_override_says_also_after_a_restart",
    ],
    "static entries: reset to code": [
        STATICS + "test_reset_takes_the_override_off_and_keeps_pause_and_notes"
    ],
}

SPREADING = {
    "jitter: in [0, s), never past the next tick": [
        "unit/rules/test_delays.py::test_a_jittered_tick_stays_before_the_next",
        "unit/rules/test_delays.py::test_a_wait_is_the_same_whoever_computes_it",
    ],
    "jitter: the nominal time stays": [
        AT_DISPATCH + "test_jitter_delays_the_message_and_not_the_tick"
    ],
    "H spreads by schedule": [
        DIALECT + "test_h_is_one_place_of_each_field_and_spreads_by_schedule"
    ],
}

LOST_EDITS = {
    "a save on a stale revision is refused: engine": [
        STORE + "test_an_edit_of_a_stale_revision_is_refused_with_both_revisions"
    ],
    "a save on a stale revision is refused: console, with both versions": [
        "integration/webadmin/test_schedules_editor.py::test_a_stale_save_shows_both_versions_and_writes_nothing"
    ],
    "a save on a stale revision is refused: command": [
        "integration/cli/test_schedules_changes.py::test_an_edit_from_a_stale_revision_is_refused_with_both_revisions"
    ],
    "Beat never undoes an edit": [
        BEAT + "test_an_edit_made_while_beat_holds_the_entry_is_not_undone"
    ],
    "a deleted schedule never comes back": [
        BEAT + "test_a_schedule_deleted_while_beat_holds_the_entry_stays_deleted_and_is_not_sent",
        "integration/schedules/test_store_races.py::"
        "test_an_edit_of_a_schedule_that_is_deleted_meanwhile_does_not_bring_it_back",
    ],
}

TABLES = {
    "words": WORDS,
    "ledger": THE_LEDGER,
    "kinds": KINDS,
    "dialect": THE_DIALECT,
    "zones": ZONES,
    "preview": PREVIEW,
    "overlap": OVERLAP,
    "catch-up": CATCHING_UP,
    "four clocks": FOUR_CLOCKS,
    "operator actions": ACTIONS,
    "jitter and spreading": SPREADING,
    "lost edits": LOST_EDITS,
}
