"""Profiles of datasets: files found and opened (`dataset`), read (`reading`), measured
(`measuring`), and shown (`page`).

DuckDB does the work (`engine`): it can read the opened files and a work folder of its own
(`workplace`), and nothing else.
"""
