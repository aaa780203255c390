"""Schedules as RedBeat entries, as far as that is a matter of text."""
