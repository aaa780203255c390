"""Time zones, wall-clock times, and instants."""
