"""The worker's own process: its pool, its threads, its signals, and the end of its children."""
