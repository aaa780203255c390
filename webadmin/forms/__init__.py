"""What operators type, turned into what the engine takes, and back.

Pure: no request, no store, no clock. A form keeps every character that was typed, so that a refused
page can be shown again as it was; each fault is named at its field, with the remedy, and all faults
are found at once.
"""
