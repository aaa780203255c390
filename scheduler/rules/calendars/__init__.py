"""Exclusion calendars: the excluded times, their text form, and the reader of iCalendar files."""
