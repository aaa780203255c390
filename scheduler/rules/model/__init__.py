"""The schedule as data, the ids of schedules and runs, and the difference of two versions."""
