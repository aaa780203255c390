"""What a job's function runs in: its run, its progress and log lines, secrets, Flask's context."""
