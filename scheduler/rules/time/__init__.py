"""Time zones, wall-clock times, and the instants that these stand for."""
