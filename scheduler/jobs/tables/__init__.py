"""Rows as files: CSV, XLSX and HTML, written batch by batch, so that a table may be larger than the
memory.
"""
