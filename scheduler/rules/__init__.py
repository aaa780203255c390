"""What a schedule means. Pure: no I/O, no clock, no randomness; `now` is always an argument."""
