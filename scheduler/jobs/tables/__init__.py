"""Tables as CSV, XLSX and HTML files, written batch by batch: a table may exceed the memory."""
