"""Making pictures smaller (`shrinking`, which knows no files), and the folders they are in
(`folders`).
"""
