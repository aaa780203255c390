"""The access log in the console: the page, and the table of what each endpoint records."""
