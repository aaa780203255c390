"""What is decided about runs, without a server."""
