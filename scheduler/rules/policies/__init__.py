"""The policies for a tick beside its time: windows, delays, overlap with earlier runs, catching up,
admission.
"""
