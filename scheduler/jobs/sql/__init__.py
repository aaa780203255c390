"""Databases that are not Beatdesk's: asked for reports without a way to change them, and cleaned
row by row.
"""
