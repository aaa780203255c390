"""Finding schedules and calendars lost by Redis, and restoring them from the history."""
