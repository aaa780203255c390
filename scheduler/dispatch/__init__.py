"""What becomes of a tick: sent, held, skipped or missed. Both Beats follow it, and so do backfills
and workers.
"""
