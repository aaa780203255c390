"""Schedules in a real server, beside RedBeat's own code."""
