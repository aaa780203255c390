"""Schedules as RedBeat entries in Redis: reading, listing, changing.

`store` writes schedules, `reads` lists them, `edits` and `operations` decide the changes, and
`calendar_store` writes calendars. The format of an entry stands in `scheduler.redbeat`.
"""
