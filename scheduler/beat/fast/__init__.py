"""The fast path: runs that differ from the run before them in tick and id only, as nearly all do.

    path             the door: `FastPath`, which the rest of Beat goes through, and its switch
    decoded_entries  entries decoded once, kept by the bytes they were decoded from
    single_tick      the plan where one tick is due and no rule has a say
    prepared_run     message, event and lease of one entry's runs: texts with places to fill in
    usual_form       such texts as the bytes that the script reads: filled in in one operation
    families         what the runs of many entries have in common, made once for all of them
    queued_event     `run.queued` as such a text

It decides and writes what the full path decides and writes, byte for byte: the full path is
`dispatch.plan` with all its rules, and Celery's own code for the message. One property test holds
the two together (`tests/integration/beat/test_fast_path.py`). `BEATDESK_BEAT_FAST_PATH=false`
switches it off. Why it is there, and what it saves: `docs/explanation/fast-path.md`.

Two parts stand elsewhere. `redbeat.usual_entry` decodes the entries that Beatdesk itself usually
writes; the codec decodes all others. `publishing.message_template` is used by the renderer of the
full path too. The same switch turns both off.
"""
