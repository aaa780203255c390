"""How stock RedBeat's scheduler class reads and advances Beatdesk's schedules."""
