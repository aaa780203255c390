"""RedBeat's stored format, byte for byte, and Beatdesk's own hash field.

The library redbeat is imported here and in `scheduler.beat` only.
"""
