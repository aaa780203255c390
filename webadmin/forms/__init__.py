"""Operators' input to the engine's values, and back.

Pure: no request, no store, no clock. A form keeps every typed character, so that a refused page
looks the same when shown again; all faults are found at once, each at its field and with the
remedy.
"""
