"""Measurements. Never part of the default run."""
