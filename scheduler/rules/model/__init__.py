"""The schedule as data, the ids computed from it, and what differs between two versions of it."""
