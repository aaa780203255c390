"""Cleaning up: history and reports that are older than they are worth."""
