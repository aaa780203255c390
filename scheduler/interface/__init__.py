"""The JSON that others may rely on, one module a subject: schedules and runs, calendars, sets."""
