"""Tests of what commands do before they ask anybody."""
