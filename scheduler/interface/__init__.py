"""The published JSON, one module a subject: schedules and runs, calendars, sets."""
