"""RedBeat's stored format, byte for byte, and the fields of ours beside it. One of two folders that
import RedBeat.
"""
