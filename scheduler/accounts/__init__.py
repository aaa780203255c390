"""Who may log in to the console, and with which role."""
