"""Registers the fixtures of tests/support for every test."""

pytest_plugins = ["tests.support.fixtures"]
