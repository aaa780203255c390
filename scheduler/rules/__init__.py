"""The meaning of a schedule. Pure: no I/O, no clock, no randomness; `now` is always an argument."""
