"""The jobs' tests stand on the same parts as those of runs."""

from tests.integration.runs.conftest import house, stream

__all__ = ["house", "stream"]
