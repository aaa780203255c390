"""Runs on real workers, Beat and servers."""
