"""How stock RedBeat's scheduler class reads and advances our schedules."""
