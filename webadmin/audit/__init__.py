"""The access log in the console: recording, and the table of what each endpoint records."""
