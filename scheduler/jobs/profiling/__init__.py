"""Profiles of datasets: files found and opened (`dataset`), read (`reading`), measured
(`measuring`), told (`page`).

DuckDB does the work (`engine`): it sees the opened files and a work folder of its own
(`workplace`), and nothing else.
"""
