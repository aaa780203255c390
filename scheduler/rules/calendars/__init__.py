"""Exclusion calendars: what they exclude, as lines of text, and read from iCalendar files."""
