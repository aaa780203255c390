"""Beatdesk's own jobs, one file per kind."""
