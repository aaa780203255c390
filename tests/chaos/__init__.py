"""Faults, random and seeded, and after them one checker of what must hold whatever was killed.

world     a server, three Beats, schedules that fire each second, somebody who edits; all real processes
zygote    starts Beats quickly
witness   takes messages and events away as they come, and remembers what they say
editor    changes, pauses, deletes and makes schedules meanwhile
faults    what is done to processes and server
checker   invariants I1 to I5 and I9 over what the witness saw; pure
run       the long mode: `make chaos`
"""
