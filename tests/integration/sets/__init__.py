"""Sets of schedules on real servers."""
