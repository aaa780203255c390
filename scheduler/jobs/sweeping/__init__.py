"""Deleting what is old: files below allowed folders, rows of allowed tables, keys of allowed
patterns.
"""
