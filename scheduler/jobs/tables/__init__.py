"""Tables as CSV, XLSX and HTML files, written batch by batch, so that a table may exceed the
memory.
"""
