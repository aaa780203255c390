"""Deletion of old files in permitted folders, rows of permitted tables, and keys of permitted
patterns.
"""
