"""Profiles of datasets: files found and opened (`dataset`), read (`reading`), measured
(`measuring`), and shown (`page`).

DuckDB does the work (`engine`), with access to the opened files and its own work folder
(`workplace`) only.
"""
