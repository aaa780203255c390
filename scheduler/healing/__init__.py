"""What Redis has lost of schedules and calendars is found and put back from the history."""
