"""The fast path: runs that differ from the run before them in tick and id only, as nearly all do.

    path             the door: `FastPath`, used by the rest of Beat, and the switch
    decoded_entries  entries decoded once, cached by the bytes of the stored entry
    single_tick      the plan where a single tick is due and no rule has a say
    prepared_run     message, event and lease of an entry's runs: texts with places to fill in
    usual_form       prepared texts as the bytes read by the script: filled in in one operation
    families         the common parts of the runs of many entries, made once for all of them
    queued_event     `run.queued` as a prepared text

The fast path decides and writes the same as the full path, byte for byte: the full path is
`dispatch.plan` with all rules, and Celery's own code for the message. One property test holds the
two together (`tests/integration/beat/test_fast_path.py`). `BEATDESK_BEAT_FAST_PATH=false` switches
the fast path off. Reasons and savings: `docs/explanation/fast-path.md`.

Two parts stand elsewhere. `redbeat.usual_entry` decodes the entries usually written by Beatdesk
itself; the codec decodes all others. `publishing.message_template` is used by the renderer of the
full path too. The same switch turns both off.
"""
