"""Schedules as RedBeat entries in Redis.

`codec` is the format, `store` the changes, `beat_entry` how Beat reads them.
"""
