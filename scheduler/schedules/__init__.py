"""Schedules as RedBeat entries in Redis: the format (`codec`), the changes (`store`), and how Beat reads them (`beat_entry`)."""
